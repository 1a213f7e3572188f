"""Failing servers: each fault has its own reason, ends in time, and leaves the last good commit readable."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.fixtures.git_server import Fault
from tests.integration.git.conftest import eventually, gits

from trimtab.adapters.git.bare_repository import BareRepository
from trimtab.adapters.git.limits import GitLimits
from trimtab.core.errors import SourceError

REASONS = {
    Fault.CUT_BEFORE: {"TransferFailed"},
    Fault.CUT_WITHIN: {"TransferFailed"},
    Fault.STATUS_401: {"AuthenticationFailed"},
    Fault.STATUS_403: {"AuthenticationFailed"},
    Fault.STATUS_404: {"RepositoryNotFound"},
    Fault.STATUS_429: {"RateLimited"},
    Fault.STATUS_500: {"ServerError"},
    Fault.STATUS_503: {"ServerError"},
    Fault.REDIRECT: {"Redirected"},
    Fault.NOT_GIT: {"NotARepository", "RepositoryNotFound"},
    Fault.STALL_BEFORE: {"TimedOut"},
    Fault.SLOW: {"TimedOut"},
}


async def refused(mirrors, repository, *, timeout_seconds=20.0):
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        await mirrors.fetch(repository.url, {}, None, timeout_seconds=timeout_seconds)
    assert time.monotonic() - started < timeout_seconds + 3
    assert caught.value.problems[0].remedy
    assert caught.value.retry
    return caught.value


@pytest.mark.parametrize("fault", list(REASONS))
async def test_each_fault_is_told_apart_and_survived(mirrors, git_repo, git_server, fault):
    good = (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha
    git_server.faults.always(fault)
    slow = fault in (Fault.STALL_BEFORE, Fault.SLOW)
    error = await refused(mirrors, git_repo, timeout_seconds=1.0 if slow else 20.0)
    assert error.reason in REASONS[fault], str(error)
    assert await mirrors.tree(git_repo.url, None, good, "deploy")
    git_server.faults.never()
    sha = git_repo.commit({"b": "2"})
    assert (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha == sha


@pytest.mark.parametrize("fault", [Fault.CUT_WITHIN, Fault.GARBLE, Fault.STALL_WITHIN])
async def test_a_pack_that_breaks_off_or_is_damaged(mirrors, git_repo, git_server, fault):
    good = (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha
    sha = git_repo.commit({f"f{n}": f"{n}\n" * 9000 for n in range(40)})
    posts = iter(range(100))
    # Past the question where the branch stands, into the pack itself.
    git_server.faults.next_fault = lambda path: fault if "upload-pack" in path and next(posts) >= 3 else None
    error = await refused(mirrors, git_repo, timeout_seconds=2.0)
    assert error.reason in {"TransferFailed", "ContentRefused", "TimedOut", "NotARepository", "GitFailed"}, str(error)
    assert await mirrors.tree(git_repo.url, None, good, "deploy")
    git_server.faults.never()
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert fetched.revision.sha == sha
    assert await mirrors.tree(git_repo.url, None, good, "deploy"), "nothing that was good is thrown away"


async def test_a_server_that_is_gone_and_comes_back(mirrors, git_repo, git_server):
    good = (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha
    git_server.stop()
    assert (await refused(mirrors, git_repo)).reason == "ConnectionFailed"
    assert await mirrors.tree(git_repo.url, None, good, "deploy")
    git_server.start()
    assert not (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).changed


async def test_a_deadline_ends_git_and_its_transport_at_once(mirrors, git_repo, git_server):
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    git_server.faults.requests.clear()
    git_server.faults.always(Fault.STALL_BEFORE)
    task = asyncio.create_task(mirrors.fetch(git_repo.url, {}, None, timeout_seconds=5))
    assert await eventually(lambda: git_server.faults.requests)
    assert any("remote-http" in name for name in gits(mirrors))
    with pytest.raises(SourceError) as caught:
        await task
    assert caught.value.reason == "TimedOut"
    assert "5 s" in str(caught.value)
    assert await eventually(lambda: not gits(mirrors))


async def test_stalled_servers_hold_nobody_else_up(mirrors, git_server, private_git_server, git_repo):
    private_git_server.faults.always(Fault.STALL_BEFORE)
    good = (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha
    stuck = [
        asyncio.create_task(mirrors.fetch(f"{private_git_server.url}/{n}.git", {}, None, timeout_seconds=15))
        for n in range(8)
    ]
    assert await eventually(lambda: private_git_server.faults.requests)
    assert await mirrors.tree(git_repo.url, None, good, "deploy")
    assert not any(task.done() for task in stuck)
    for outcome in await asyncio.gather(*stuck, return_exceptions=True):
        assert isinstance(outcome, SourceError)
        assert outcome.reason == "TimedOut"


@pytest.mark.parametrize("limits", [GitLimits(max_memory_bytes=96 * 1024 * 1024)])
async def test_a_server_without_end_takes_bounded_memory(mirrors, git_repo, git_server):
    git_server.faults.always(Fault.ENDLESS)
    error = await refused(mirrors, git_repo)
    assert error.reason == "RepositoryTooLarge", str(error)
    git_server.faults.never()
    assert (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha == git_repo.sha()


def data_limits(mirrors):
    """What the zygote and the workers may allocate, as the system has it."""
    texts = [Path(f"/proc/{pid}/limits").read_text() for pid in mirrors.pids]
    return [row.split()[3] for text in texts for row in text.splitlines() if row.startswith("Max data size")]


@pytest.mark.parametrize("limits", [GitLimits(max_memory_bytes=300 * 1024 * 1024)])
async def test_every_request_has_bounded_memory(mirrors, git_repo):
    with pytest.raises(SourceError) as caught:
        await mirrors.tree(git_repo.url, None, "1" * 40, "")
    assert caught.value.reason == "CommitNotFetched"
    assert str(300 * 1024 * 1024) in data_limits(mirrors)


async def test_a_subject_without_end_is_refused(mirrors, git_repo):
    git_repo.commit({"a": "1"}, "x" * 5_000_000)
    error = await refused(mirrors, git_repo)
    assert error.reason == "ContentRefused"
    assert "shorten the first line" in str(error)
    sha = git_repo.commit({"a": "2"}, "y" * 5000)
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert (fetched.revision.sha, len(fetched.commit.subject)) == (sha, 200)


@pytest.mark.parametrize("limits", [GitLimits(max_pack_bytes=200_000)])
async def test_a_pack_larger_than_the_limit(mirrors, git_repo, git_server):
    import random

    git_repo.commit({"big": random.Random(1).randbytes(600_000)})
    assert (await refused(mirrors, git_repo)).reason == "RepositoryTooLarge"


async def test_damage_on_our_own_disk_is_mended(mirrors, git_repo, tmp_path):
    sha = (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha
    [tips] = (tmp_path / "mirrors").rglob("tips.git")
    blob = git_repo.git("rev-parse", "HEAD:deploy/app.yaml")
    for pack in list((tips / "objects/pack").glob("*.pack")):
        data = pack.read_bytes()
        pack.unlink()
        BareRepository(tips).git("unpack-objects", "-q", stdin=data)
    (tips / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError) as caught:
        await mirrors.materialise(git_repo.url, None, sha, ["deploy"], tmp_path / "out")
    assert caught.value.reason == "MirrorBroken"
    fetched = await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    assert (fetched.revision.sha, fetched.changed) == (sha, True)
    await mirrors.materialise(git_repo.url, None, sha, ["deploy"], tmp_path / "out")
    assert (tmp_path / "out/deploy/app.yaml").read_text() == "kind: ConfigMap\n"


async def test_locks_left_by_a_killed_git_are_removed(mirrors, git_repo, git_server, tmp_path):
    await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)
    [tips] = (tmp_path / "mirrors").rglob("tips.git")
    for name in ("shallow.lock", "packed-refs.lock", "objects/pack/tmp_pack_abc"):
        (tips / name).write_text("left")
    git_server.faults.always(Fault.STALL_BEFORE)
    await refused(mirrors, git_repo, timeout_seconds=0.5)
    git_server.faults.never()
    sha = git_repo.commit({"b": "2"})
    assert (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha == sha
    assert not (tips / "shallow.lock").exists()
    assert not (tips / "objects/pack/tmp_pack_abc").exists()


async def test_a_mirror_that_is_no_repository_any_more(mirrors, git_repo, git_server, tmp_path):
    sha = (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha
    [tips] = (tmp_path / "mirrors").rglob("tips.git")
    (tips / "HEAD").unlink()
    with pytest.raises(SourceError) as caught:
        await mirrors.tree(git_repo.url, None, sha, "deploy")
    assert caught.value.retry
    assert (await mirrors.fetch(git_repo.url, {}, None, timeout_seconds=20)).revision.sha == sha
    assert await mirrors.tree(git_repo.url, None, sha, "deploy")
