"""A folder in place of a repository."""

import subprocess
from pathlib import Path

import pytest

from trimtab.adapters.git.working_copy import REVISION, WorkingCopy
from trimtab.core.errors import SourceError
from trimtab.source.selection import Selection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "copy"
    for name, text in {"app/a.yaml": "a", "app/sub/b.yaml": "b", "other/c.yaml": "c", ".git/config": "x"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


async def copied(root: Path, target: Path, *paths: str) -> set[str]:
    await WorkingCopy(root).materialise("", None, REVISION.sha, paths, target)
    return files(target)


def files(target: Path) -> set[str]:
    return {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}


async def test_only_what_is_asked_for_is_copied(folder: Path, tmp_path: Path):
    assert await copied(folder, tmp_path / "one", "app") == {"app/a.yaml", "app/sub/b.yaml"}
    assert await copied(folder, tmp_path / "all", "") == {"app/a.yaml", "app/sub/b.yaml", "other/c.yaml"}
    assert await copied(folder, tmp_path / "file", "app/a.yaml") == {"app/a.yaml"}


async def test_links_out_of_the_folder_are_left_out(folder: Path, tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    (folder / "app" / "out.yaml").symlink_to(tmp_path / "secret")
    (folder / "app" / "in.yaml").symlink_to(folder / "other" / "c.yaml")
    assert await copied(folder, tmp_path / "one", "app") == {"app/a.yaml", "app/sub/b.yaml", "app/in.yaml"}
    assert (tmp_path / "one" / "app" / "in.yaml").read_text() == "c"


@pytest.fixture
def tracked(folder: Path) -> Path:
    (folder / ".git" / "config").unlink()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text("sub/\n")
    return folder


async def test_what_git_ignores_is_left_out(tracked: Path, tmp_path: Path):
    assert await copied(tracked, tmp_path / "one", "app") == {"app/a.yaml"}


async def test_what_the_repositorys_rules_leave_out_is_left_out(folder: Path, tmp_path: Path):
    (folder / "app" / ".sourceignore").write_text("sub\n")
    copy = WorkingCopy(folder)
    root = await copy.select("", None, REVISION.sha, Selection(ignore="/other\n"))
    await copy.materialise("", None, root, [""], tmp_path / "one", lfs=True)
    assert files(tmp_path / "one") == {"app/.sourceignore", "app/a.yaml"}
    before = await copy.tree("", None, root, "app")
    (folder / "app" / "sub" / "b.yaml").write_text("longer")
    assert await copy.tree("", None, root, "app") == before
    assert await copy.submodules("", None, root) == ()
    await copy.fetch_large("", None, root, timeout_seconds=1)
    with pytest.raises(SourceError, match="no gitignore pattern"):
        await copy.select("", None, REVISION.sha, Selection(ignore="!"))


async def test_a_folder_has_a_name_for_its_content(folder: Path):
    copy = WorkingCopy(folder)
    before = await copy.tree("", None, REVISION.sha, "app")
    assert await copy.tree("", None, REVISION.sha, "app") == before
    (folder / "app" / "a.yaml").write_text("longer")
    assert await copy.tree("", None, REVISION.sha, "app") != before
    assert await copy.tree("", None, REVISION.sha, "other") != before


async def test_what_is_not_there_is_said(folder: Path, tmp_path: Path):
    copy = WorkingCopy(folder)
    with pytest.raises(SourceError, match="root of the working copy"):
        await copy.materialise("", None, REVISION.sha, ["nowhere"], tmp_path)
    with pytest.raises(SourceError, match=r"there is no app/a\.yaml"):
        await copy.tree("", None, REVISION.sha, "app/a.yaml")
    with pytest.raises(SourceError, match="is no folder"):
        WorkingCopy(folder / "nowhere")


async def test_there_is_one_revision(folder: Path):
    fetched = await WorkingCopy(folder).fetch("", {}, None, timeout_seconds=1)
    assert (fetched.revision, fetched.changed) == (REVISION, True)
