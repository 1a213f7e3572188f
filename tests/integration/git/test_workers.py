"""Worker processes: shared, recycled, retired, killed, and never left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from functools import partial

import psutil
import pytest
from tests.fixtures.git_server import Fault, wait_until
from tests.fixtures.processes import family, kill
from tests.integration.git.conftest import descriptors, eventually, gits, offspring

from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.core.errors import SourceError


async def fetch(mirrors, repository, **ref):
    return await mirrors.fetch(repository.url, ref, None, timeout_seconds=20)


def workers(mirrors: GitMirrors) -> set[int]:
    return set(mirrors.pids) - {_zygote(mirrors)}


def _others(mirrors: GitMirrors, before: set[int]) -> bool:
    return bool(workers(mirrors)) and not workers(mirrors) & before


def _zygote(mirrors: GitMirrors) -> int:
    pid = mirrors._pool._zygote.pid
    assert pid is not None
    return pid


async def test_one_warm_worker_serves_one_after_another(mirrors, git_repo):
    await fetch(mirrors, git_repo)
    assert await eventually(lambda: len(workers(mirrors)) >= 1)
    before = workers(mirrors)
    for n in range(3):
        git_repo.commit({"n": str(n)})
        await fetch(mirrors, git_repo)
    assert workers(mirrors) == before


@pytest.mark.parametrize("limits", [GitLimits(uses_per_worker=2)])
async def test_workers_are_recycled_after_their_uses(mirrors, git_repo):
    for _ in range(2):
        before = workers(mirrors)
        for _ in range(2):
            await fetch(mirrors, git_repo)
        assert await eventually(partial(_others, mirrors, before))
    assert await eventually(lambda: len(workers(mirrors)) <= 1)


@pytest.mark.parametrize("limits", [GitLimits(uses_per_worker=1)])
async def test_even_workers_for_one_use_come_to_rest(mirrors, git_repo):
    for _ in range(3):
        await fetch(mirrors, git_repo)
    assert await eventually(lambda: not mirrors._pool._successors), "one that was not used needs none itself"
    assert await eventually(lambda: len(workers(mirrors)) <= 1)


@pytest.mark.parametrize("limits", [GitLimits(uses_per_worker=3)])
async def test_nobody_waits_for_a_worker_that_is_being_prepared(mirrors, git_repo, monkeypatch):
    gate, pool = asyncio.Event(), mirrors._pool
    start = pool._start_worker

    async def late():
        await gate.wait()
        return await start()

    await fetch(mirrors, git_repo)
    monkeypatch.setattr(pool, "_start_worker", late)
    (first,) = workers(mirrors)
    for _ in range(6):
        await fetch(mirrors, git_repo)
    assert workers(mirrors) == {first}, "it serves on"
    gate.set()
    assert await eventually(lambda: first not in workers(mirrors))
    (second,) = workers(mirrors)
    await fetch(mirrors, git_repo)
    assert workers(mirrors) == {second}


@pytest.mark.parametrize("limits", [GitLimits(idle_seconds=0.2)])
async def test_idle_workers_end_and_the_next_request_starts_one(mirrors, git_repo):
    await fetch(mirrors, git_repo)
    assert await eventually(lambda: not workers(mirrors))
    assert len(mirrors.pids) == 1
    git_repo.commit({"b": "2"})
    assert (await fetch(mirrors, git_repo)).changed


async def test_the_zygote_stays_small_and_knows_no_framework(mirrors, git_repo):
    await fetch(mirrors, git_repo)
    zygote = psutil.Process(_zygote(mirrors))
    assert zygote.memory_info().rss < 16_000_000
    mapped = " ".join(entry.path for entry in zygote.memory_maps())
    assert "kopf" not in mapped
    assert "_ssl" not in mapped
    for pid in workers(mirrors):
        assert psutil.Process(pid).memory_info().rss < 40_000_000


def test_the_zygote_imports_hardly_anything():
    names = ["kopf", "aiohttp", "kubernetes", "git", "asyncio", "subprocess", "json", "re", "typing", "trimtab.core"]
    code = f"import sys, trimtab.adapters.git.zygote; print([n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-S", "-c", code], env=_path(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _path() -> dict[str, str]:
    import trimtab

    return {"PYTHONPATH": os.path.dirname(os.path.dirname(str(trimtab.__file__)))}  # noqa: PTH120 - a test


async def test_many_at_once_share_fetches(mirrors, git_repo, git_server):
    await fetch(mirrors, git_repo)
    git_server.faults.requests.clear()
    answers = await asyncio.gather(*(fetch(mirrors, git_repo) for _ in range(20)))
    assert len({answer.revision.sha for answer in answers}) == 1
    assert len(git_server.faults.requests) == 2, "one question for all twenty"


async def test_who_asks_while_a_fetch_is_under_way_sees_what_came_since(mirrors, git_repo, git_server):
    await fetch(mirrors, git_repo)
    git_server.faults.requests.clear()
    gate = threading.Event()

    def hold(path: str) -> None:
        gate.wait(20)

    git_server.faults.next_fault = hold
    first = asyncio.create_task(fetch(mirrors, git_repo))
    assert await eventually(lambda: len(git_server.faults.requests) == 1)
    second = asyncio.create_task(fetch(mirrors, git_repo))
    await asyncio.sleep(0.05)
    sha = git_repo.commit({"late": "1"})
    gate.set()
    await first
    assert (await second).revision.sha == sha
    assert len(git_server.faults.requests) > 2, "the second asked for itself"


async def test_different_repositories_are_fetched_side_by_side(mirrors, git_server):
    repositories = [git_server.repository(f"r{n}") for n in range(6)]
    shas = [repository.commit({"a": str(n)}) for n, repository in enumerate(repositories)]
    answers = await asyncio.gather(*(fetch(mirrors, repository) for repository in repositories))
    assert [answer.revision.sha for answer in answers] == shas
    assert 1 < len(workers(mirrors)) <= 6


async def test_one_who_leaves_does_not_spoil_it_for_the_others(mirrors, git_repo, git_server):
    await fetch(mirrors, git_repo)
    tasks = [asyncio.create_task(fetch(mirrors, git_repo)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert [(await task).revision.sha for task in tasks[1:]] == [git_repo.sha()] * 2


async def test_the_last_one_to_leave_ends_the_work(mirrors, git_repo, git_server):
    await fetch(mirrors, git_repo)
    git_server.faults.always(Fault.STALL_BEFORE)
    asked = len(git_server.faults.requests)
    task = asyncio.create_task(fetch(mirrors, git_repo))
    assert await eventually(lambda: len(git_server.faults.requests) > asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await eventually(lambda: not gits(mirrors))
    git_server.faults.never()
    assert not (await fetch(mirrors, git_repo)).changed


async def test_a_worker_killed_in_the_midst(mirrors, git_repo, git_server):
    await fetch(mirrors, git_repo)
    git_server.faults.always(Fault.STALL_BEFORE)
    asked = len(git_server.faults.requests)
    task = asyncio.create_task(fetch(mirrors, git_repo))
    assert await eventually(lambda: len(git_server.faults.requests) > asked)
    kill(process for process in offspring(mirrors) if process.pid in workers(mirrors))
    with pytest.raises(SourceError) as caught:
        await task
    assert caught.value.reason == "GitWorkerLost"
    assert caught.value.retry
    git_server.faults.never()
    assert not (await fetch(mirrors, git_repo)).changed
    assert await eventually(lambda: not gits(mirrors))


async def test_a_killed_zygote_is_replaced(mirrors, git_repo):
    await fetch(mirrors, git_repo)
    old = _zygote(mirrors)
    doomed = offspring(mirrors)
    os.kill(old, signal.SIGKILL)
    kill(process for process in doomed if process.pid != old)
    git_repo.commit({"b": "2"})
    with contextlib.suppress(SourceError):
        # The first one may still meet a worker of the old zygote.
        await fetch(mirrors, git_repo)
    fetched = await fetch(mirrors, git_repo)
    assert fetched.revision.sha == git_repo.sha()
    assert old not in mirrors.pids


CHILD = """
import asyncio, sys
from pathlib import Path
from trimtab.adapters.git.mirrors import GitMirrors

async def main():
    mirrors = GitMirrors(Path(sys.argv[1]))
    await mirrors.start()
    task = asyncio.create_task(mirrors.fetch(sys.argv[2], {}, None, timeout_seconds=60))
    await asyncio.sleep(float(sys.argv[3]))
    print(*mirrors.pids, flush=True)
    await task
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("stalled", [True, False])
def test_nothing_survives_a_controller_that_is_killed(git_repo, git_server, tmp_path, stalled):
    if stalled:
        git_server.faults.always(Fault.STALL_BEFORE)
    argv = [sys.executable, "-c", CHILD, str(tmp_path / "data"), git_repo.url, "1.0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        pids = [int(pid) for pid in controller.stdout.readline().split()]
        assert wait_until(lambda: bool(git_server.faults.requests))
        processes = family([controller.pid])
        assert {process.pid for process in processes} >= set(pids)
        controller.kill()
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []


async def test_the_data_folder_has_one_owner(mirrors, tmp_path):
    other = GitMirrors(tmp_path / "mirrors")
    with pytest.raises(SourceError) as caught:
        await other.start()
    assert caught.value.reason == "DataFolderInUse"
    await other.close()


async def test_closing_in_the_midst_of_work_ends_it(git_repo, git_server, tmp_path):
    before = descriptors()
    mirrors = GitMirrors(tmp_path / "data")
    await mirrors.start()
    git_server.faults.always(Fault.STALL_BEFORE)
    task = asyncio.create_task(fetch(mirrors, git_repo))
    assert await eventually(lambda: bool(git_server.faults.requests))
    processes = offspring(mirrors)
    await mirrors.close()
    with pytest.raises(SourceError):
        await task
    _, alive = psutil.wait_procs(processes, timeout=5)
    assert alive == []
    git_server.faults.never()
    assert await eventually(lambda: descriptors() <= before)


@pytest.mark.parametrize("limits", [GitLimits(kept_commits=3, fetches_per_cleanup=8)])
async def test_cleaning_up_keeps_the_newest_commits(mirrors, git_repo, tmp_path):
    shas = []
    for n in range(9):
        shas.append(git_repo.commit({"deploy/n": f"{n}\n"}))
        await fetch(mirrors, git_repo)
    [tips] = (tmp_path / "mirrors").rglob("tips.git")
    assert await eventually(lambda: any((tips / "objects/pack").glob("*.pack")))
    await fetch(mirrors, git_repo)
    for sha in shas[-3:]:
        await mirrors.materialise(git_repo.url, None, sha, [""], tmp_path / sha)
        assert (tmp_path / sha / "deploy/app.yaml").exists()
    with pytest.raises(SourceError) as caught:
        await mirrors.tree(git_repo.url, None, shas[0], "")
    assert caught.value.reason == "CommitNotFetched"


async def test_mirrors_long_unused_are_forgotten_at_the_next_start(tmp_path, git_repo):
    first = GitMirrors(tmp_path / "data")
    await first.start()
    await fetch(first, git_repo)
    await first.close()
    [mirror] = (tmp_path / "data/mirrors").iterdir()
    for path in (*mirror.rglob("used/*"), mirror):
        os.utime(path, (1, 1))
    second = GitMirrors(tmp_path / "data")
    await second.start()
    try:
        assert await eventually(lambda: not mirror.exists())
        assert (await fetch(second, git_repo)).changed
    finally:
        await second.close()


@pytest.mark.parametrize("limits", [GitLimits(forget_seconds=1.0)])
async def test_mirrors_long_unused_are_forgotten_while_running(mirrors, git_repo, tmp_path):
    sha = (await fetch(mirrors, git_repo)).revision.sha
    [mirror] = (tmp_path / "mirrors/mirrors").iterdir()
    assert await eventually(lambda: not mirror.exists())
    again = await fetch(mirrors, git_repo)
    assert (again.revision.sha, again.changed) == (sha, True)
    assert await mirrors.tree(git_repo.url, None, sha, "deploy")


async def test_a_machine_without_git_says_so(git_repo, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    mirrors = GitMirrors(tmp_path / "data")
    await mirrors.start()
    try:
        with pytest.raises(SourceError) as caught:
            await fetch(mirrors, git_repo)
        assert caught.value.reason == "GitMissing"
        assert "install git" in caught.value.problems[0].remedy
    finally:
        await mirrors.close()
