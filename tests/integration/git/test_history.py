"""What lies between two revisions, from a real server: what moves, goes back, is rewritten, and what it costs."""

import contextlib
import random
import subprocess
from pathlib import Path

import pytest
from tests.fixtures.git_server import Fault, GitRepo

from trimtab.adapters.git.histories import GitHistories
from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import Span


@pytest.fixture
def histories(mirrors: GitMirrors, limits: GitLimits) -> GitHistories:
    return GitHistories(mirrors, limits=limits)


async def between(histories: GitHistories, repository: GitRepo, older: str, newer: str) -> Span:
    return await histories.between(repository.url, None, newer=newer, older=older, timeout_seconds=20)


def shas(span: Span) -> tuple[list[str], list[str]]:
    return [commit.sha for commit in span.added], [commit.sha for commit in span.dropped]


async def test_the_commits_of_a_branch_that_moved(histories, git_repo):
    first = git_repo.sha()
    second = git_repo.commit({"a": "1"}, "Add a\n\nand say why")
    third = git_repo.commit({"b": "1"}, "Add b")
    span = await between(histories, git_repo, first, third)
    assert shas(span) == ([third, second], [])
    assert (span.related, span.truncated) == (True, False)
    assert [commit.subject for commit in span.added] == ["Add b", "Add a"]
    assert span.added[0].author == span.added[0].committer == "Ada Example <ada@example.org>"
    assert span.added[0].author_time == span.added[0].committer_time > 1_600_000_000


async def test_equal_revisions_have_nothing_between(histories, git_repo):
    assert await between(histories, git_repo, git_repo.sha(), git_repo.sha()) == Span()


async def test_a_revert_is_a_commit_and_a_forced_push_back_drops_some(histories, git_repo):
    first = git_repo.sha()
    second = git_repo.commit({"a": "1"})
    reverted = git_repo.revert()
    assert shas(await between(histories, git_repo, second, reverted)) == ([reverted], [])
    git_repo.force("main", first)
    assert shas(await between(histories, git_repo, reverted, first)) == ([], [reverted, second])
    again = git_repo.commit({"c": "1"})
    assert shas(await between(histories, git_repo, reverted, again)) == ([again], [reverted, second])


async def test_from_a_tag_on_an_old_commit(histories, mirrors, git_repo):
    first = git_repo.sha()
    later = [git_repo.commit({"a": str(number)}) for number in range(3)]
    git_repo.tag("v1", first, message="One")
    tag = await mirrors.fetch(git_repo.url, {"tag": "v1"}, None, timeout_seconds=20)
    tip = await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)
    span = await between(histories, git_repo, tag.revision.sha, tip.revision.sha)
    assert shas(span) == (later[::-1], [])


async def test_a_server_with_bitmaps_leaves_nothing_out(histories, mirrors, git_repo, tmp_path):
    first = git_repo.sha()
    git_repo.commit({f"d{number}/f": str(number) for number in range(20)})
    git_repo.git("repack", "-adbq")
    assert list((git_repo.path / "objects/pack").glob("*.bitmap"))
    tip = git_repo.commit({"d1/f": "changed"})
    assert len((await between(histories, git_repo, first, tip)).added) == 2
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    await mirrors.materialise(git_repo.url, None, fetched.revision.sha, [""], tmp_path / "out")
    assert (tmp_path / "out/d7/f").read_text() == "7"
    back = git_repo.revert()
    assert shas(await between(histories, git_repo, tip, back)) == ([back], [])
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    await mirrors.materialise(git_repo.url, None, fetched.revision.sha, [""], tmp_path / "back")
    assert (tmp_path / "back/d1/f").read_text() == "1"


async def test_histories_without_a_common_line(histories, git_repo):
    old = git_repo.sha()
    await between(histories, git_repo, old, old)
    git_repo.git("update-ref", "-d", "refs/heads/main")
    fresh = git_repo.commit({"a": "1"}, "Begin again")
    assert await between(histories, git_repo, old, fresh) == Span(related=False)


async def test_an_older_revision_that_is_nowhere_any_more(histories, git_repo):
    assert await between(histories, git_repo, "1" * 40, git_repo.sha()) == Span(related=False)
    with pytest.raises(SourceError) as caught:
        await between(histories, git_repo, git_repo.sha(), "2" * 40)
    assert caught.value.reason == "RefNotFound"


@pytest.mark.parametrize("limits", [GitLimits(max_between=2)])
async def test_more_than_the_limit_is_said(histories, git_repo):
    first = git_repo.sha()
    made = [git_repo.commit({"a": str(number)}) for number in range(3)]
    span = await between(histories, git_repo, first, made[-1])
    assert (shas(span), span.truncated) == (([made[2], made[1]], []), True)
    assert not (await between(histories, git_repo, made[0], made[-1])).truncated


async def test_only_commits_travel_and_only_once(histories, mirrors, git_server, git_repo):
    first = git_repo.sha()
    git_repo.commit({f"big/{number}.txt": f"{number}\n" * 5000 for number in range(50)})
    tip = git_repo.commit({"a": "1"})
    await between(histories, git_repo, first, tip)
    history = mirrors.folder(git_repo.url, None) / "history.git"
    assert kinds(history) == {"commit"}
    git_server.faults.requests.clear()
    await between(histories, git_repo, first, tip)
    assert git_server.faults.requests == []
    newest = git_repo.commit({"b": "1"})
    assert len((await between(histories, git_repo, first, newest)).added) == 3
    assert git_server.faults.requests
    assert kinds(history) == {"commit"}


async def test_merges_and_sha256(histories, git_server):
    repository = git_server.repository("modern", object_format="sha256")
    base = repository.commit({"a": "1"})
    side = repository.commit({"b": "1"}, "Side", branch="side", parent=base)
    main = repository.commit({"c": "1"}, "Main")
    identity = ["-c", "user.name=Ada", "-c", "user.email=a@example.org"]
    tree = repository.git("rev-parse", "main^{tree}")
    merge = repository.git(*identity, "commit-tree", tree, "-p", main, "-p", side, "-m", "Merge")
    repository.force("main", merge)
    span = await between(histories, repository, base, merge)
    assert {commit.sha for commit in span.added} == {merge, side, main}


async def test_a_server_that_gives_out_tips_only(histories, git_server, git_repo):
    git_server.faults.protocol_v0 = True
    first = git_repo.sha()
    second = git_repo.commit({"a": "1"})
    third = git_repo.commit({"b": "1"})
    assert shas(await between(histories, git_repo, first, second)) == ([second], [])
    assert shas(await between(histories, git_repo, second, third)) == ([third], [])


@pytest.mark.parametrize("limits", [GitLimits(max_history_bytes=40_000)])
async def test_a_history_above_the_limit_is_not_kept_nor_asked_for_again(histories, mirrors, git_server, git_repo):
    git_repo.commit({"a": "1"}, random.Random(1).randbytes(60_000).hex())
    seen: list[int] = []
    for _ in range(2):
        with pytest.raises(SourceError) as caught:
            await between(histories, git_repo, git_repo.sha(), git_repo.sha())
        assert caught.value.reason in ("HistoryTooLarge", "RepositoryTooLarge")
        seen.append(len(git_server.faults.requests))
    assert seen[0] == seen[1]
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert await mirrors.tree(git_repo.url, None, fetched.revision.sha, "deploy")


async def test_a_stalled_history_holds_up_no_fetch(histories, mirrors, git_server, git_repo):
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    git_server.faults.always(Fault.STALL_BEFORE)
    with pytest.raises(SourceError) as caught:
        await histories.between(git_repo.url, None, newer=git_repo.sha(), older=git_repo.sha(), timeout_seconds=1)
    assert caught.value.reason == "TimedOut"
    git_server.faults.never()
    sha = git_repo.commit({"a": "1"})
    assert (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha == sha


@pytest.mark.parametrize("limits", [GitLimits(fetches_per_cleanup=1)])
async def test_it_is_packed_with_the_rest_and_lasts(histories, mirrors, git_repo):
    first = tip = git_repo.sha()
    for number in range(3):
        tip = git_repo.commit({"a": str(number)})
        await between(histories, git_repo, first, tip)
        await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    await mirrors._clean_up(mirrors._mirror(git_repo.url, None))
    history = mirrors.folder(git_repo.url, None) / "history.git"
    assert len(list((history / "objects/pack").glob("*.pack"))) == 1
    assert len((await between(histories, git_repo, first, tip)).added) == 3


async def test_readers_of_the_history_fetch_nothing(histories, mirrors, git_server, git_repo):
    first, tip = git_repo.sha(), git_repo.commit({"a": "1"})
    await between(histories, git_repo, first, tip)
    git_server.stop()
    assert shas(await between(histories, git_repo, first, tip)) == ([tip], [])


async def test_a_damaged_history_is_made_anew(histories, mirrors, git_repo):
    first, tip = git_repo.sha(), git_repo.commit({"a": "1"})
    await between(histories, git_repo, first, tip)
    for pack in (mirrors.folder(git_repo.url, None) / "history.git/objects/pack").iterdir():
        pack.chmod(0o644)
        pack.write_bytes(b"")
    with contextlib.suppress(SourceError):
        await between(histories, git_repo, first, tip)
    histories._refused.clear()
    assert shas(await between(histories, git_repo, first, tip)) == ([tip], [])


def kinds(repository: Path) -> set[str]:
    done = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())
