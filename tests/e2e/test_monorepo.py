"""In a repository of many Applications a commit costs what it changes: counted, whatever the time it takes.

The bench's monorepo in small: renders by the controller's own metrics, requests by the API server's audit log.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.bench.monorepo import history
from tests.bench.monorepo.content import Monorepo
from tests.bench.monorepo.figures import SOURCE_STATUS, STATUS, Followed
from tests.bench.monorepo.measures import Fleet
from tests.bench.scene import Scene

from trimtab.localcluster import LocalCluster

SMALL = Monorepo(files=400, applications=12)
COMMITS = 40
PLAIN, LAYERED = SMALL.apps[2], SMALL.apps[7]
INVENTORY = "inventories.trimtab.dev"


@pytest.fixture
async def fleet(fresh_cluster: LocalCluster, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A controller that has applied all Applications of the monorepo and come to rest."""
    async with Scene.open(fresh_cluster, tmp_path, interval="1h") as opened:
        repository = history.make(tmp_path / "git" / "monorepo.git", SMALL, commits=COMMITS)
        scene = opened.of(repository)
        for name in ("monorepo", *(f"of-{team}" for team in SMALL.teams())):
            await scene.namespace(name)
        controller = scene.controller("monorepo")
        await asyncio.to_thread(controller.start)
        try:
            fleet = Fleet(scene, controller, "monorepo", SMALL)
            first = await fleet.first_sync(SMALL.specs(namespace_prefix="of-"))
            assert first.renders == SMALL.applications
            await scene.settle()
            await scene.quiet(seconds=3.0)
            yield fleet
        finally:
            await asyncio.to_thread(controller.stop)


async def test_a_commit_costs_what_it_changes(fleet: Fleet) -> None:
    for number, app in enumerate((PLAIN, LAYERED)):
        touched = await fleet.follow(app.settings, number)
        assert (touched.renders, touched.plans) == (1, 1), app
        _check_writes(touched, applied=1)

    shared = await fleet.follow(f"{LAYERED.base}/settings.yaml", 2)
    over_it = [app for app in SMALL.apps if app.layered and app.base == LAYERED.base]
    assert (shared.renders, shared.plans) == (len(over_it), len(over_it)) == (2, 2)
    _check_writes(shared, applied=2)

    for number, path in enumerate((PLAIN.readme, LAYERED.home + "/overlays/staging/settings.yaml", "docs/new.md"), 3):
        unread = await fleet.follow(path, number)
        assert (unread.renders, unread.plans) == (0, 0), path
        assert unread.writes == {STATUS: SMALL.applications, SOURCE_STATUS: 1}


def _check_writes(followed: Followed, *, applied: int) -> None:
    """One ConfigMap for each Application that changed, and what is written down and told about it."""
    assert followed.other_writes["configmaps"] == applied
    assert followed.other_writes.keys() <= {"configmaps", INVENTORY, "events.events.k8s.io"}
    # Each names the revision once; those that change something announce it before.
    assert followed.writes[STATUS] == SMALL.applications + applied
    assert followed.writes[SOURCE_STATUS] == 1
