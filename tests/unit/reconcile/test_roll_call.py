"""Who went while nobody watched is found out; who is there costs nothing."""

from typing import Any

from tests.fakes.clock import HandClock

from trimtab.core.observed import Absent, Live, Observed, Unknown
from trimtab.core.outcome import Outcome, Result
from trimtab.core.refs import ObjectRef
from trimtab.reconcile.desk import GIT_REPOSITORY, INVENTORY, Desk
from trimtab.reconcile.queue import Key, WorkQueue
from trimtab.reconcile.roll_call import ANSWER_SECONDS, ROLL_CALL, RollCall

CALL = Key(ROLL_CALL, "", GIT_REPOSITORY)
A, B = (Key(GIT_REPOSITORY, "ns", name) for name in ("a", "b"))


class Server:
    """Knows of no object but those given; counts questions."""

    def __init__(self, *there: str) -> None:
        self.there = set(there)
        self.asked: list[str] = []
        self.away = False

    async def get(self, ref: ObjectRef, version: str) -> Observed:
        self.asked.append(ref.name)
        assert (ref.group, version, ref.kind) == ("trimtab.dev", "v1alpha1", "GitRepository")
        if self.away:
            return Unknown("the server is away")
        return Live(body(ref.name)) if ref.name in self.there else Absent()


def body(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "resourceVersion": "1"}
    spec = {"url": "https://example.org/a.git", "ref": {"branch": "main"}}
    return {"apiVersion": "trimtab.dev/v1alpha1", "kind": "GitRepository", "metadata": metadata, "spec": spec}


def office(*there: str) -> tuple[RollCall, Desk, Server, WorkQueue]:
    queue = WorkQueue(HandClock())
    desk, server = Desk(queue), Server(*there)
    for name in ("a", "b"):
        desk.shown(body(name))
    return RollCall(desk=desk, queue=queue, objects=server), desk, server, queue  # type: ignore[arg-type]


async def drained(queue: WorkQueue) -> set[Key]:
    keys = set()
    while queue.depth:
        key, _ = await queue.take()
        queue.finished(key, Outcome.done(), limit_seconds=1)
        keys.add(key)
    return keys


async def test_who_is_shown_again_is_not_asked_for() -> None:
    roll_call, desk, server, _ = office("a", "b")
    roll_call.begin(GIT_REPOSITORY)
    for name in ("a", "b"):
        desk.shown(body(name))
    assert (await roll_call.reconcile(CALL)).result is Result.SUCCESS
    assert server.asked == []


async def test_who_is_gone_is_forgotten_and_its_key_worked_on() -> None:
    roll_call, desk, server, queue = office("a")
    await drained(queue)
    roll_call.begin(GIT_REPOSITORY)
    desk.shown(body("a"))
    await roll_call.reconcile(CALL)
    assert server.asked == ["b"]
    assert desk.repository(B) is None
    assert desk.repository(A) is not None
    assert await drained(queue) == {B}


async def test_who_was_only_slow_stays() -> None:
    roll_call, desk, server, _ = office("a", "b")
    roll_call.begin(GIT_REPOSITORY)
    await roll_call.reconcile(CALL)
    assert sorted(server.asked) == ["a", "b"]
    assert desk.repository(A) is not None
    assert desk.unanswered(GIT_REPOSITORY) == []


async def test_without_an_answer_nobody_is_forgotten_and_the_call_is_repeated() -> None:
    roll_call, desk, server, _ = office()
    roll_call.begin(GIT_REPOSITORY)
    server.away = True
    assert (await roll_call.reconcile(CALL)).result is Result.FAILURE
    assert roll_call.limit_seconds(CALL) == ANSWER_SECONDS
    assert desk.repository(A) is not None
    server.away = False
    await roll_call.reconcile(CALL)
    assert desk.repository(A) is desk.repository(B) is None


async def test_the_first_list_of_all_and_that_of_inventories_call_nobody() -> None:
    queue = WorkQueue(HandClock())
    roll_call = RollCall(desk=Desk(queue), queue=queue, objects=Server())  # type: ignore[arg-type]
    roll_call.begin(GIT_REPOSITORY)
    roll_call.begin(INVENTORY)
    assert queue._states == {}
