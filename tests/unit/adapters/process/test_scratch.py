from pathlib import Path

from trimtab.adapters.process.scratch import empty_scratch


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
