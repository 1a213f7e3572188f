"""Mirrors for the tests of the Git adapter; each must end without a process or a descriptor left."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from tests.fixtures.git_server import wait_until
from tests.fixtures.processes import family, names

from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.mirrors import GitMirrors


def offspring(mirrors: GitMirrors) -> list[psutil.Process]:
    """The zygote, the workers and all that those run."""
    return family(mirrors.pids)


def gits(mirrors: GitMirrors) -> list[str]:
    """Names of the running processes that are git's."""
    return [name for name in names(offspring(mirrors)) if name.startswith("git")]


async def eventually(condition: Callable[[], object], *, timeout_seconds: float = 10.0) -> bool:
    """As `wait_until`, with the event loop running."""
    deadline = time.monotonic() + timeout_seconds
    while not (held := bool(condition())) and time.monotonic() < deadline:  # noqa: ASYNC110 - of other processes
        await asyncio.sleep(0.01)
    return held


def descriptors() -> int:
    """Open descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def limits() -> GitLimits:
    """The product's limits; tests may override them."""
    return GitLimits()


@pytest.fixture
async def mirrors(tmp_path: Path, limits: GitLimits) -> AsyncIterator[GitMirrors]:
    """Started mirrors in a fresh folder."""
    before = descriptors()
    made = GitMirrors(tmp_path / "mirrors", limits=limits)
    await made.start()
    yield made
    processes = offspring(made)
    await made.close()
    _, alive = psutil.wait_procs(processes, timeout=5)
    assert alive == []
    # The test server's side of a killed connection goes a moment later.
    assert wait_until(lambda: descriptors() <= before), f"{descriptors()} descriptors, {before} before"
