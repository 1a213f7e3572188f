from pathlib import Path

from trimtab.adapters.process.private_folder import in_memory
from trimtab.adapters.process.scratch import empty_scratch, memory_scratch


def test_what_a_killed_controller_left_is_removed_and_nothing_behind_its_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    left = tmp_path / "data" / "scratch" / "trimtab-tree-x"
    left.mkdir(parents=True)
    (left / "secret.yaml").write_text("password")
    (left / "link").symlink_to(outside)

    scratch = empty_scratch(tmp_path / "data" / "scratch")

    assert list(scratch.iterdir()) == []
    assert scratch.stat().st_mode & 0o777 == 0o700
    assert (outside / "kept").exists()


def test_the_folder_in_memory_is_ours_empty_and_always_the_same(tmp_path: Path) -> None:
    scratch = memory_scratch(tmp_path)
    assert scratch is not None
    assert in_memory(scratch)
    (scratch / "left").write_text("password")
    assert memory_scratch(tmp_path) == scratch
    assert list(scratch.iterdir()) == []
    assert scratch.stat().st_mode & 0o777 == 0o700
    other = memory_scratch(tmp_path / "other")
    assert other not in (None, scratch)

    scratch.rmdir()
    scratch.symlink_to(tmp_path)
    assert memory_scratch(tmp_path) is None
    assert tmp_path.exists()
    scratch.unlink()
    assert other is not None
    other.rmdir()
