"""The workers: outcomes, exceptions, and that one object never stops another."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from tests.fakes.clock import LoopClock
from tests.fakes.metrics import FakeMetrics

from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem, SourceError
from trimtab.core.outcome import Outcome
from trimtab.reconcile.lanes import DEFAULT_BOUNDS, Lanes
from trimtab.reconcile.loop import Loop
from trimtab.reconcile.queue import Key, WorkQueue

pytestmark = pytest.mark.looptime

SOURCE = "GitRepository"
GOOD = Key("Application", "ns", "good")
BAD = Key("Application", "ns", "bad")


class Script:
    """A reconciler that does as it is told, by key."""

    def __init__(self) -> None:
        self.turns: list[tuple[float, Key]] = []
        self.begun: list[Key] = []
        self.raising: dict[Key, Exception] = {}
        self.seconds: dict[Key, float] = {}
        self.suspended: set[Key] = set()
        self.outcome = Outcome.done()

    async def before_turn(self, key: Key) -> None:
        self.begun.append(key)
        if key in self.raising:
            raise self.raising[key]

    async def reconcile(self, key: Key) -> Outcome:
        self.turns.append((asyncio.get_running_loop().time(), key))
        await asyncio.sleep(self.seconds.get(key, 0))
        if key in self.raising:
            raise self.raising[key]
        return self.outcome

    def limit_seconds(self, key: Key) -> float:
        return 20.0

    def server(self, key: Key) -> str | None:
        return "git.example" if key.kind == SOURCE and key not in self.suspended else None

    def times(self, key: Key) -> list[float]:
        return [at for at, who in self.turns if who == key]


class Ship:
    """A loop under way."""

    def __init__(self, *, workers: int = 1) -> None:
        clock = LoopClock()
        self.script, self.metrics = Script(), FakeMetrics()
        self.queue = WorkQueue(clock, seed=7)
        reconcilers = {"Application": self.script, SOURCE: self.script}
        self.loop = Loop(self.queue, reconcilers, clock, self.metrics, workers=workers, lanes=Lanes())


@pytest.fixture
async def ship() -> AsyncIterator[Ship]:
    ship = Ship()
    task = asyncio.create_task(ship.loop.run())
    yield ship
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_turn_is_counted_with_its_result_and_time(ship: Ship) -> None:
    ship.script.seconds[GOOD] = 2.0
    ship.queue.add(GOOD)
    await asyncio.sleep(5)
    assert ship.metrics.all("reconciled") == [("Application", "success", pytest.approx(2.0))]
    assert ship.metrics.all("queue") == [(0, pytest.approx(0.0))]


@pytest.mark.parametrize(
    "error",
    [ApiError(503, "ServiceUnavailable", "later"), SourceError(Problem("no route")), RuntimeError("a bug")],
)
async def test_exceptions_become_failures_that_are_tried_again_later_and_later(ship: Ship, error: Exception) -> None:
    ship.script.raising[BAD] = error
    ship.queue.add(BAD)
    ship.queue.add(GOOD)
    await asyncio.sleep(200)
    times = ship.script.times(BAD)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[0] < pauses[1] < pauses[2]
    assert max(pauses) <= 20 * 1.2 + 0.01, "the limit holds"
    assert len(ship.script.times(GOOD)) == 1, "the other key went on, and has nothing left to do"
    assert ship.metrics.all("reconciled")[0][:2] == ("Application", "failure")


async def test_what_is_unexpected_is_logged_but_not_told_to_users(ship: Ship, caplog: pytest.LogCaptureFixture) -> None:
    ship.script.raising[BAD] = RuntimeError("a bug")
    outcome = await ship.loop._turn(ship.script, BAD)
    assert outcome.error == "unexpected failure, see the log"
    assert "a bug" in caplog.text


async def test_what_is_expected_is_told_as_it_is(ship: Ship) -> None:
    ship.script.raising[BAD] = ApiError(403, "Forbidden", "not you")
    outcome = await ship.loop._turn(ship.script, BAD)
    assert outcome.error == "Forbidden: not you"


async def test_an_outcome_sets_the_next_turn(ship: Ship) -> None:
    ship.script.outcome = Outcome.done(again_seconds=30)
    ship.queue.add(GOOD)
    await asyncio.sleep(100)
    assert ship.script.times(GOOD) == pytest.approx([0, 30, 60, 90], abs=0.1)


async def test_several_workers_take_several_keys_but_never_the_same() -> None:
    ship = Ship(workers=3)
    task = asyncio.create_task(ship.loop.run())
    ship.script.seconds = {GOOD: 10.0, BAD: 10.0}
    for key in (GOOD, BAD, GOOD):
        ship.queue.add(key)
    await asyncio.sleep(1)
    ship.queue.add(GOOD)
    await asyncio.sleep(5)
    assert len(ship.script.turns) == 2
    await asyncio.sleep(10)
    assert [key for _, key in ship.script.turns] == [GOOD, BAD, GOOD]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_has_to_wait_for_a_lane_may_tell_so_before(ship: Ship) -> None:
    slow = [Key(SOURCE, "ns", f"slow-{number}") for number in range(40)]
    for key in slow:
        ship.script.seconds[key] = 3600.0
        ship.queue.add(key)
    await asyncio.sleep(600)
    assert len(ship.script.turns) < 40
    assert ship.script.begun == slow


async def test_slow_servers_take_no_worker_away(ship: Ship) -> None:
    slow = [Key(SOURCE, "ns", f"slow-{number}") for number in range(40)]
    for key in slow:
        ship.script.seconds[key] = 3600.0
        ship.queue.add(key)
    other = Key(SOURCE, "other", "quick")
    ship.queue.add(other)
    ship.queue.add(GOOD)
    await asyncio.sleep(0.01)
    assert len(ship.script.times(GOOD)) == 1
    assert len(ship.script.times(other)) == 1, "nor the lanes of other namespaces"
    begun = [key for _, key in ship.script.turns if key in slow]
    assert len(begun) == DEFAULT_BOUNDS.quick_per_namespace
    await asyncio.sleep(600)
    assert len([key for _, key in ship.script.turns if key in slow]) < 10


async def test_what_happens_while_a_turn_waits_for_its_lane_is_seen_by_it(ship: Ship) -> None:
    first = [Key(SOURCE, "ns", f"first-{number}") for number in range(DEFAULT_BOUNDS.quick_per_namespace)]
    late = Key(SOURCE, "ns", "late")
    for key in first:
        ship.script.seconds[key] = 2.0
        ship.queue.add(key)
    ship.queue.add(late)
    await asyncio.sleep(1)
    assert ship.script.times(late) == []
    ship.queue.add(late)
    await asyncio.sleep(10)
    assert len(ship.script.times(late)) == 1
    ship.script.seconds[late] = 2.0
    ship.queue.add(late)
    await asyncio.sleep(1)
    ship.queue.add(late)
    await asyncio.sleep(10)
    assert len(ship.script.times(late)) == 3, "what happens in the turn has one of its own"


async def test_who_has_nothing_to_ask_any_more_leaves_the_line_at_once(ship: Ship) -> None:
    keys = [Key(SOURCE, "ns", str(number)) for number in range(10)]
    for key in keys:
        ship.script.seconds[key] = 3600.0
        ship.queue.add(key)
    await asyncio.sleep(1)
    running, waiting = keys[0], keys[-1]
    assert (len(ship.script.times(running)), len(ship.script.times(waiting))) == (1, 0)
    for key in (running, waiting):
        ship.script.suspended.add(key)
        ship.script.seconds[key] = 0.0
        ship.queue.add(key)
    await asyncio.sleep(0.1)
    assert (len(ship.script.times(running)), len(ship.script.times(waiting))) == (2, 1)
    assert len([key for key in keys if ship.script.times(key)]) == 5, "and another one took the lane"


async def test_one_that_goes_before_it_has_come_is_not_lost(ship: Ship) -> None:
    key = Key(SOURCE, "ns", "a")
    ship.queue.add(key)
    await asyncio.sleep(0)
    assert key in ship.loop._beside
    assert ship.script.times(key) == []
    ship.script.suspended.add(key)
    ship.queue.add(key)
    await asyncio.sleep(1)
    assert len(ship.script.times(key)) == 1
    assert ship.loop._beside == {}
