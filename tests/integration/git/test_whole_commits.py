"""A commit that leaves nothing out is told by what differs from another such commit, and never where that is not so."""

import random
from collections.abc import Iterator
from pathlib import Path

import git
import pytest
from tests.fixtures.git_server import GitRepo
from tests.integration.git.test_source_trees import made, refused

from trimtab.adapters.git.bare_repository import BareRepository, Content, Link
from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.adapters.git.trees import changes
from trimtab.adapters.git.whole_commits import MOST_CHANGES, known_whole, note_whole
from trimtab.reconcile.git_tree import GitTree

IGNORE_FILES = (".sourceignore", "deploy/.trimtabignore", "deploy/deep/.sourceignore")
ALL = 1_000_000


@pytest.fixture
def bare(tmp_path: Path) -> BareRepository:
    return BareRepository.create(tmp_path / "bare.git")


@pytest.fixture
def tips(bare: BareRepository) -> Iterator[git.Repo]:
    with git.Repo(bare.path, expand_vars=False) as repository:
        yield repository


def bomb(bare: BareRepository, *, levels: int) -> str:
    """A commit of ten to the power of `levels` files, made of as many trees as there are levels."""
    held = bare.git("hash-object", "-w", "--stdin", stdin=b"x")
    rows = "".join(f"100644 blob {held}\tf{n}\n" for n in range(10))
    for _ in range(levels - 1):
        tree = bare.git("mktree", stdin=rows.encode())
        rows = "".join(f"040000 tree {tree}\td{n}\n" for n in range(10))
    tree = bare.git("mktree", stdin=rows.encode())
    author = "A <a@x> 1700000000 +0000"
    commit = f"tree {tree}\nauthor {author}\ncommitter {author}\n\nx\n"
    return bare.git("hash-object", "-w", "-t", "commit", "--stdin", stdin=commit.encode())


def names(bare: BareRepository, sha: str) -> list[str]:
    return bare.git("ls-tree", "-r", "--name-only", sha).splitlines()


def test_nothing_is_known_at_first_and_then_what_differs_little(bare, tips):
    first = bare.commit({"a": "1", "b": "1"})
    assert not known_whole(tips, first, max_files=ALL)
    note_whole(tips, first, 2)
    assert known_whole(tips, first, max_files=ALL)
    second = bare.commit({"a": "2", "b": None, "c/d": "1", "e": Link("a")})
    assert known_whole(tips, second, max_files=3)
    assert not known_whole(tips, bare.commit({"f": "1"}), max_files=3), "what is there already counts"
    assert known_whole(tips, bare.commit({"a": None}), max_files=3)


@pytest.mark.parametrize("path", IGNORE_FILES)
def test_an_ignore_file_is_not_overlooked(bare, tips, path):
    note_whole(tips, bare.commit({"deploy/a": "1", path: Link("deploy/a")}), 2)
    assert not known_whole(tips, bare.commit({path: "a"}), max_files=ALL), "it was a link before"
    assert not known_whole(tips, bare.commit({path: "b", "c": "1"}), max_files=ALL)
    assert known_whole(tips, bare.commit({path: Link("deploy/a")}), max_files=ALL), "none is left"


def test_many_changes_are_not_gone_through_twice(bare, tips):
    note_whole(tips, bare.commit({"a": "1"}), 1)
    many: dict[str, Content] = {f"many/{n}": "1" for n in range(MOST_CHANGES)}
    few = bare.commit(many)
    assert not known_whole(tips, bare.commit({"one-more": "1"}), max_files=ALL)
    assert known_whole(tips, few, max_files=ALL)


@pytest.mark.parametrize("note", ["", "nonsense", f"{'1' * 40} 3", "--output=WRITTEN 1", f"{'1' * 40} many"])
def test_a_note_that_makes_no_sense_is_none(bare, tips, note, tmp_path):
    sha = bare.commit({"a": "1"})
    note_whole(tips, sha, 1)
    [noted] = [path for path in bare.path.iterdir() if path.is_file() and path.read_text() == f"{sha} 1\n"]
    written = tmp_path / "written"
    noted.write_text(note.replace("WRITTEN", str(written)))
    assert not known_whole(tips, sha, max_files=ALL)
    assert not written.exists()


def test_a_commit_without_end_takes_no_memory_without_end(bare, tips):
    """git holds all that differs before it tells any of it."""
    before = bare.commit({"a": "1"})
    note_whole(tips, before, 1)
    assert len(changes(tips, before, bomb(bare, levels=3), most=10_000) or ()) == 1001
    assert changes(tips, before, bomb(bare, levels=6), most=10_000_000) is None
    assert not known_whole(tips, bomb(bare, levels=10), max_files=ALL)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_called_whole_is_whole(bare, tips, seed):
    dice, known = random.Random(seed), 0
    for step in range(25):
        picked = dice.sample([*IGNORE_FILES, "deploy/a", "deploy/deep/b", "c"], k=2)
        sha = bare.commit({path: dice.choice([None, str(step), Link("c")]) for path in picked} | {"d": str(step)})
        files = [path for path in names(bare, sha) if path in IGNORE_FILES]
        whole = known_whole(tips, sha, max_files=ALL)
        known += whole
        assert not whole or (bare.path / "whole-commit").read_text() == f"{sha} {len(names(bare, sha))}\n"
        real = [path for path in files if not bare.git("ls-tree", sha, path).startswith("120000")]
        assert not (whole and real), real
        if not real:
            note_whole(tips, sha, len(names(bare, sha)))
    assert known


async def root(mirrors: GitMirrors, repository: GitRepo) -> str:
    tree = await made(mirrors, repository)
    assert isinstance(tree, GitTree)
    return tree.root


async def test_rules_come_and_go_with_their_files(mirrors, git_repo: GitRepo):
    assert await root(mirrors, git_repo) == git_repo.sha()
    git_repo.commit({"x/y": "1"})
    assert await root(mirrors, git_repo) == git_repo.sha()
    git_repo.commit({"x/.sourceignore": "y\n"})
    assert await root(mirrors, git_repo) != git_repo.sha()
    git_repo.commit({"x/.sourceignore": None})
    assert await root(mirrors, git_repo) == git_repo.sha()


@pytest.mark.parametrize("limits", [GitLimits(max_selected_files=3)])
async def test_the_limit_of_files_holds_however_they_came(mirrors, git_repo: GitRepo):
    git_repo.commit({"a": "1", "b": "1"}, keep=False)
    await made(mirrors, git_repo)
    git_repo.commit({"c": "1"})
    await made(mirrors, git_repo)
    git_repo.commit({"d": "1"})
    assert (await refused(made(mirrors, git_repo))).reason == "TooManyFiles"
