"""Who last changed a failing file or line, from a real server, and that finding out is cheap or left be."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.git_server import Fault, GitRepo

from trimtab.adapters.git.histories import GitHistories
from trimtab.adapters.git.limits import GitLimits
from trimtab.core.authorship import LastChange
from trimtab.core.errors import SourceError
from trimtab.core.manifest import Origin

ADA, BEN = "Ada Example <ada@example.org>", "Ben Example <ben@example.org>"


@pytest.fixture
def histories(mirrors, limits) -> GitHistories:
    return GitHistories(mirrors, limits=limits)


async def changes(histories: GitHistories, repository: GitRepo, *places: Origin) -> dict[Origin, LastChange]:
    return dict(await histories.last_changes(repository.url, None, repository.sha(), places))


def by(author: str, repository: GitRepo) -> GitRepo:
    return replace(repository, author=author)


async def test_the_commit_and_author_that_last_changed_a_file(histories, git_repo):
    broke = by(BEN, git_repo).commit({"deploy/app.yaml": "kind: Broken\n"}, "Break it")
    git_repo.commit({"other.yaml": "x"})
    place = Origin("deploy/app.yaml")
    assert await changes(histories, git_repo, place, Origin("nowhere.yaml")) == {place: LastChange(broke, BEN)}


async def test_the_line_rather_than_the_file(histories, git_repo):
    git_repo.commit({"big.bin": "x" * 200_000, "deploy/app.yaml": "a: 1\nb: 2\nc: 3\n"})
    broke = by(BEN, git_repo).commit({"deploy/app.yaml": "a: 1\nb: [\nc: 3\n"})
    later = git_repo.commit({"deploy/app.yaml": "a: 1\nb: [\nc: 4\n"})
    found = await changes(histories, git_repo, *(Origin("deploy/app.yaml", line) for line in (0, 2, 3)))
    assert found == {
        Origin("deploy/app.yaml"): LastChange(later, ADA),
        Origin("deploy/app.yaml", 2): LastChange(broke, BEN, of_line=True),
        Origin("deploy/app.yaml", 3): LastChange(later, ADA, of_line=True),
    }


async def test_a_line_that_does_not_exist_is_answered_by_its_file(histories, git_repo):
    place = Origin("deploy/app.yaml", 99)
    assert await changes(histories, git_repo, place) == {place: LastChange(git_repo.sha(), ADA)}


@pytest.mark.parametrize("limits", [GitLimits(blame_depths=(2, 4))])
async def test_what_lies_further_back_than_the_limit_is_left_be(histories, mirrors, git_server, git_repo):
    second = git_repo.commit({"second.yaml": "x"})
    for number in range(3):
        git_repo.commit({"n": str(number)})
    deep = Origin("deploy/app.yaml")
    assert await changes(histories, git_repo, Origin("second.yaml"), deep) == {}, "the edge may not be the change"
    near = git_repo.revert(git_repo.sha())
    git_repo.force("main", near)
    assert list(await changes(histories, git_repo, Origin("n"))) == [Origin("n")]
    assert second


async def test_only_folders_and_the_failing_files_travel(histories, mirrors, git_repo):
    git_repo.commit({f"big/{number}": f"{number}\n" * 1000 for number in range(20)})
    git_repo.commit({"deploy/app.yaml": "kind: Broken\n"})
    assert await changes(histories, git_repo, Origin("deploy/app.yaml", 1))
    blobs = objects(mirrors.folder(git_repo.url, None) / "blame.git", "blob")
    assert len(blobs) == 2


async def test_a_server_with_bitmaps_and_one_that_knows_no_filters(histories, mirrors, git_repo):
    git_repo.commit({f"d{number}/f": str(number) for number in range(20)})
    git_repo.git("repack", "-adbq")
    broke = by(BEN, git_repo).commit({"d1/f": "a\nb\n"})
    assert await changes(histories, git_repo, Origin("d1/f", 1)) == {
        Origin("d1/f", 1): LastChange(broke, BEN, of_line=True)
    }
    git_repo.git("config", "uploadpack.allowFilter", "false")
    again = git_repo.commit({"d2/f": "c"})
    assert (await changes(histories, git_repo, Origin("d2/f", 1)))[Origin("d2/f", 1)].commit == again


async def test_a_merged_change_belongs_to_who_made_it(histories, git_repo):
    base = git_repo.sha()
    side = by(BEN, git_repo).commit({"deploy/app.yaml": "kind: Broken\n"}, branch="side", parent=base)
    main = git_repo.commit({"x": "1"})
    identity = ["-c", "user.name=Ada", "-c", "user.email=a@example.org"]
    both = git_repo.git("merge-tree", "--write-tree", main, side).splitlines()[0]
    git_repo.force("main", git_repo.git(*identity, "commit-tree", both, "-p", main, "-p", side, "-m", "Merge"))
    found = await changes(histories, git_repo, Origin("deploy/app.yaml", 1))
    assert found == {Origin("deploy/app.yaml", 1): LastChange(side, BEN, of_line=True)}


@pytest.mark.parametrize("limits", [GitLimits(blame_timeout_seconds=1.0)])
async def test_a_server_that_stalls_is_waited_for_no_longer_than_the_deadline(histories, git_server, git_repo):
    git_server.faults.always(Fault.STALL_BEFORE)
    with pytest.raises(SourceError) as caught:
        await changes(histories, git_repo, Origin("deploy/app.yaml"))
    assert caught.value.reason == "TimedOut"
    asked = len(git_server.faults.requests)
    with pytest.raises(SourceError):
        await changes(histories, git_repo, Origin("deploy/app.yaml"))
    assert len(git_server.faults.requests) == asked, "not again for a while"


async def test_a_crafted_place_reads_nothing_else(histories, git_repo):
    for file in ("../../etc/passwd", "/etc/passwd"):
        with pytest.raises(SourceError) as caught:
            await changes(histories, git_repo, Origin(file))
        assert caught.value.reason == "InvalidPath"
    assert await changes(histories, git_repo, Origin("--output=x"), Origin(":(top)deploy")) == {}


def objects(repository: Path, kind: str) -> list[str]:
    command = ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    return [row.split()[1] for row in done.stdout.splitlines() if row.startswith(f"{kind} ")]
