"""At rest the controller asks the API server for nothing, and a restart that finds nothing changed writes nothing.

Counted in the API server's audit log by user agent, over 1,010 objects of 10 Applications. The window is short here;
the bench watches for a minute, and for as long as it is told to.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.bench import measures
from tests.bench.scene import Scene
from tests.bench.workload import systems

from trimtab.cli.demo.controller_process import ControllerProcess
from trimtab.localcluster import LocalCluster

APPLICATIONS = 10
OBJECTS = 1010
IDLE_SECONDS = 20.0
POLLS = "3s"
"""Often enough that several polls of the repository fall into the window: they, too, are to cost nothing."""
LISTS = 30
RESTARTS = 3
"""In which order our own objects are shown after a restart is chance."""


@pytest.fixture
async def scene(fresh_cluster: LocalCluster, tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene.open(fresh_cluster, tmp_path, interval=POLLS) as opened:
        yield opened


@pytest.fixture
async def controller(scene: Scene) -> AsyncIterator[ControllerProcess]:
    """A controller that has applied everything and come to rest."""
    declared = systems(APPLICATIONS, prefix="steady")
    assert sum(len(system.bodies) for system in declared) == OBJECTS
    await scene.namespace("steady-state")
    revision = scene.commit(measures.sources(declared))
    running = scene.controller("steady-state")
    await asyncio.to_thread(running.start)
    try:
        await measures.first_apply(scene, running, "steady-state", declared, revision)
        await scene.settle()
        await scene.quiet(seconds=3.0)
        yield running
    finally:
        await asyncio.to_thread(running.stop)


async def test_rest_costs_nothing_and_a_restart_writes_nothing(scene, controller):
    idle = await measures.idle(scene, controller, IDLE_SECONDS)
    assert idle.asked == ()

    for _ in range(RESTARTS):
        restart = await measures.restart(scene, controller)
        assert restart.written == ()
        assert 0 < restart.lists <= LISTS

    # What the restart found out is enough to stay at rest.
    idle = await measures.idle(scene, controller, IDLE_SECONDS / 2)
    assert idle.asked == ()
