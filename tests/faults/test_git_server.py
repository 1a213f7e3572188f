"""A Git server that fails at random, while commits are pushed, forced and reverted: no hang, no leak, no loss.

TRIMTAB_FAULT_ROUNDS and TRIMTAB_FAULT_SEED make the run longer and repeat one.
"""

import asyncio
import os
import random
import time
from pathlib import Path

import psutil
from tests.fixtures.git_server import Fault, GitRepo, RunningServer, wait_until
from tests.fixtures.processes import family, kill

from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.core.errors import SourceError

ROUNDS = int(os.environ.get("TRIMTAB_FAULT_ROUNDS", "25"))
SEED = int(os.environ.get("TRIMTAB_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
TIMEOUT_SECONDS = 1.5
EXPECTED_REASONS = {
    "AuthenticationFailed",
    "ConnectionFailed",
    "ContentRefused",
    "EmptyRepository",
    "GitFailed",
    "GitWorkerLost",
    "NotARepository",
    "RateLimited",
    "Redirected",
    "RefNotFound",
    "RepositoryNotFound",
    "RepositoryTooLarge",  # a damaged pack may claim any size, which the limit of memory then refuses
    "ServerError",
    "TimedOut",
    "TransferFailed",
}


def descriptors() -> int:
    """Open descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def mutate(repository: GitRepo, dice: random.Random) -> None:
    """Something that people do to a branch."""
    match dice.choice(["commit", "commit", "commit", "big", "force", "revert"]):
        case "commit":
            repository.commit({"deploy/app.yaml": f"n: {dice.random()}\n"})
        case "big":
            repository.commit({f"big/{n}": dice.randbytes(20_000) for n in range(10)})
        case "force":
            repository.force("main", repository.git("rev-list", "--max-parents=0", "main"))
        case "revert":
            repository.commit({"deploy/app.yaml": "n: 0\n"}, parent=repository.sha("main"))
            repository.revert()


async def fetch(mirrors: GitMirrors, repository: GitRepo, *, timeout_seconds: float) -> str:
    """The fetched SHA, or the reason of the failure."""
    started = time.monotonic()
    refused: SourceError | None = None
    try:
        fetched = await mirrors.fetch(repository.url, {"branch": "main"}, None, timeout_seconds=timeout_seconds)
        answer = fetched.revision.sha
    except SourceError as error:
        refused, answer = error, error.reason
    assert time.monotonic() - started < timeout_seconds + 20, "it hung"
    assert refused is None or (refused.retry and answer in EXPECTED_REASONS), str(refused)
    return answer


async def one_round(mirrors: GitMirrors, server: RunningServer, repository: GitRepo, dice: random.Random) -> None:
    if dice.random() < 0.7:
        mutate(repository, dice)
    faults = [None, None, *Fault]
    server.faults.next_fault = lambda path: dice.choice(faults)
    if dice.random() < 0.1:
        server.stop()
    tasks = [asyncio.create_task(fetch(mirrors, repository, timeout_seconds=TIMEOUT_SECONDS)) for _ in range(3)]
    if dice.random() < 0.15:
        await asyncio.sleep(dice.random() * 0.2)
        kill(family([dice.choice(sorted(mirrors.pids))])[:1])
    if dice.random() < 0.15:
        await asyncio.sleep(dice.random() * 0.2)
        tasks.pop().cancel()
    await asyncio.gather(*tasks)
    server.start()
    server.faults.never()


async def test_random_faults_neither_hang_nor_leak_nor_lose_anything(git_server, git_repo, tmp_path):
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    before = descriptors()
    mirrors = GitMirrors(tmp_path / "mirrors", limits=GitLimits(fetches_per_cleanup=7, uses_per_worker=9))
    await mirrors.start()
    try:
        await many_rounds(mirrors, git_server, git_repo, dice, tmp_path)
    finally:
        processes = family(mirrors.pids)
        await mirrors.close()
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []
    git_server.stop()
    assert wait_until(lambda: descriptors() <= before)


async def many_rounds(
    mirrors: GitMirrors, git_server: RunningServer, git_repo: GitRepo, dice: random.Random, tmp_path: Path
) -> None:
    last = (await mirrors.fetch(git_repo.url, {"branch": "main"}, None, timeout_seconds=20)).revision.sha
    for number in range(ROUNDS):
        await one_round(mirrors, git_server, git_repo, dice)
        await readable(mirrors, git_repo, last, tmp_path / f"before{number}")
        for _ in range(4):
            last = await fetch(mirrors, git_repo, timeout_seconds=20)
            if last == git_repo.sha():
                break
        assert last == git_repo.sha(), f"seed {SEED}, round {number}: {last}"
        await readable(mirrors, git_repo, last, tmp_path / f"after{number}")


async def readable(mirrors: GitMirrors, repository: GitRepo, sha: str, target: Path) -> None:
    """What was fetched last can be written out, whatever happened since."""
    for attempt in range(3):
        try:
            await mirrors.materialise(repository.url, None, sha, ["deploy"], target)
            break
        except SourceError as error:
            # A worker that was killed from outside is the one thing that may come between.
            if error.reason != "GitWorkerLost" or attempt == 2:
                raise
    assert (target / "deploy/app.yaml").read_text() == repository.git("show", f"{sha}:deploy/app.yaml") + "\n"
