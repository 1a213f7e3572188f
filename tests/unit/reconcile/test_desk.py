"""Our own objects as they were shown, and which of their changes deserve a turn."""

import asyncio
from typing import Any

import pytest
from tests.fakes.clock import HandClock

from trimtab.core.names import GROUP_VERSION
from trimtab.reconcile.desk import STRAY_SECONDS, Desk
from trimtab.reconcile.queue import Key, WorkQueue

APP = Key("Application", "trimtab-system", "shop")
REPO = Key("GitRepository", "trimtab-system", "fleet")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue(clock: HandClock) -> WorkQueue:
    return WorkQueue(clock, seed=7)


@pytest.fixture
def desk(queue: WorkQueue) -> Desk:
    return Desk(queue)


async def taken(queue: WorkQueue) -> list[Key]:
    keys = []
    while queue.depth:
        key, _ = await queue.take()
        queue._states[key].running = False
        keys.append(key)
    return keys


def application(**metadata: Any) -> dict[str, Any]:
    named = {"name": APP.name, "namespace": APP.namespace, "uid": "u-1", "generation": 1}
    spec = {"sourceRef": {"name": "fleet"}, "prune": True}
    return {"apiVersion": GROUP_VERSION, "kind": "Application", "metadata": {**named, **metadata}, "spec": spec}


def repository() -> dict[str, Any]:
    named = {"name": REPO.name, "namespace": REPO.namespace, "uid": "u-2", "generation": 1}
    spec = {"url": "https://git.example/fleet"}
    return {"apiVersion": GROUP_VERSION, "kind": "GitRepository", "metadata": named, "spec": spec}


def shard(*, deleting: bool = False, name: str = "shop") -> dict[str, Any]:
    metadata = {"name": f"{name}-0", "namespace": APP.namespace}
    if deleting:
        metadata["deletionTimestamp"] = "2027-01-01T00:00:00Z"
    spec = {"application": {"name": name, "uid": "u-1"}}
    return {"apiVersion": GROUP_VERSION, "kind": "Inventory", "metadata": metadata, "spec": spec}


async def test_what_is_shown_is_known_and_enqueued(desk: Desk, queue: WorkQueue) -> None:
    desk.shown(application())
    desk.shown(repository())
    assert await taken(queue) == [APP, REPO]
    shown, fleet = desk.application(APP), desk.repository(REPO)
    assert shown is not None
    assert shown.spec.source_ref.name == "fleet"
    assert fleet is not None
    assert desk.application(REPO) is None
    assert desk.repository(APP) is None
    assert desk.applications() == [APP]
    assert list(desk.dependents(REPO)) == [APP]
    assert list(desk.dependents(Key("GitRepository", "elsewhere", "fleet"))) == []


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"team": "blue"}},
        {"resourceVersion": "17"},
        {"managedFields": [{"manager": "kubectl"}]},
        {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}},
    ],
)
async def test_what_changes_nothing_for_us_enqueues_nothing(
    desk: Desk, queue: WorkQueue, change: dict[str, Any]
) -> None:
    desk.shown(application())
    await taken(queue)
    desk.shown(application(**change))
    desk.shown({**application(), "status": {"observedGeneration": 1}})
    assert await taken(queue) == []


async def test_a_status_is_remembered_though_it_enqueues_nothing(desk: Desk, queue: WorkQueue) -> None:
    desk.shown(application())
    desk.shown({**application(), "status": {"lastAppliedRevision": "main@sha1:abc"}})
    shown = desk.application(APP)
    assert shown is not None
    assert shown.status.last_applied_revision == "main@sha1:abc"


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 2},
        {"uid": "u-9"},
        {"deletionTimestamp": "2027-01-01T00:00:00Z"},
        {"finalizers": ["trimtab.dev/prune"]},
        {"annotations": {"reconcile.trimtab.dev/requestedAt": "now"}},
        {"annotations": {"trimtab.dev/confirm": "digest"}},
    ],
)
async def test_what_deserves_a_turn_enqueues(desk: Desk, queue: WorkQueue, change: dict[str, Any]) -> None:
    desk.shown(application())
    await taken(queue)
    desk.shown(application(**change))
    assert await taken(queue) == [APP]


async def test_what_cannot_be_read_is_known_with_its_reason_and_without_its_values(
    desk: Desk, queue: WorkQueue
) -> None:
    body = application()
    body["spec"] = {"sourceRef": {"name": "fleet"}, "prune": "hunter2"}
    desk.shown(body)
    assert desk.application(APP) is None
    invalid = desk.invalid(APP)
    assert invalid is not None
    assert invalid[0] == body
    assert "spec.prune" in str(invalid[1])
    assert "hunter2" not in str(invalid[1])
    assert invalid[1].reason == "InvalidSpec"
    assert await taken(queue) == [APP]
    desk.shown(application(generation=2))
    assert desk.invalid(APP) is None
    assert desk.application(APP) is not None


async def test_what_becomes_invalid_is_no_longer_known(desk: Desk) -> None:
    desk.shown(application())
    desk.shown({**application(generation=2), "spec": {}})
    assert desk.application(APP) is None


async def test_what_is_gone_is_forgotten_and_has_one_more_turn(desk: Desk, queue: WorkQueue) -> None:
    desk.shown(application())
    await taken(queue)
    desk.gone(application())
    assert desk.application(APP) is None
    assert await taken(queue) == [APP]
    desk.shown(application())
    assert await taken(queue) == [APP], "the same again is news after it was gone"


async def test_a_shard_that_is_deleted_gives_its_application_a_turn(desk: Desk, queue: WorkQueue) -> None:
    desk.gone(shard())
    assert await taken(queue) == [APP]


async def test_a_shard_at_rest_or_of_a_known_application_is_nothing(desk: Desk, queue: WorkQueue) -> None:
    desk.shown(application())
    await taken(queue)
    desk.shown(shard())
    desk.shown(shard(deleting=True))
    assert await taken(queue) == []
    assert desk.left_behind(APP) == ""


async def test_a_dying_shard_of_nobody_was_left_behind(desk: Desk, queue: WorkQueue) -> None:
    desk.shown(shard(deleting=True, name="lost"))
    lost = Key("Application", APP.namespace, "lost")
    assert await taken(queue) == [lost]
    assert desk.left_behind(lost) == "u-1"
    assert desk.left_behind(lost) == "", "told once"


async def test_a_shard_of_nobody_is_looked_into_later_for_its_application_may_be_shown_after_it(
    desk: Desk, queue: WorkQueue, clock: HandClock
) -> None:
    desk.shown(shard(name="lost"))
    assert await taken(queue) == []
    timers = asyncio.create_task(queue.run_timers())
    await clock.turn(STRAY_SECONDS)
    assert await taken(queue) == [Key("Application", APP.namespace, "lost")]
    timers.cancel()


async def test_a_shard_of_an_earlier_application_of_that_name_was_left_behind(desk: Desk) -> None:
    body = application()
    body["metadata"]["uid"] = "u-2"
    desk.shown(body)
    desk.shown(shard())
    assert desk.left_behind(APP) == "u-1"
