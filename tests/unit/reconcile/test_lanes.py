"""Lanes to other servers: bounded, and fair whatever one namespace does."""

import asyncio
from collections import Counter
from typing import Any, NamedTuple

import looptime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.reconcile.lanes import DEFAULT_BOUNDS, LaneBounds, Lanes

pytestmark = pytest.mark.looptime


class Log:
    """Who had a turn, and when."""

    def __init__(self, bounds: LaneBounds = DEFAULT_BOUNDS) -> None:
        self.lanes = Lanes(bounds)
        self.began: list[tuple[float, str]] = []
        self.running: Counter[str] = Counter()
        self.most = 0
        self.most_of_one = 0
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, namespace: str, seconds: float, server: str = "git.example") -> asyncio.Task[None]:
        """Somebody takes a turn of so many seconds."""
        task = asyncio.create_task(self._ask(namespace, seconds, server))
        self.tasks.append(task)
        return task

    async def _ask(self, namespace: str, seconds: float, server: str) -> None:
        async with self.lanes.turn(namespace, server):
            self.began.append((asyncio.get_running_loop().time(), namespace))
            self.running[namespace] += 1
            self.most = max(self.most, self.running.total())
            self.most_of_one = max(self.most_of_one, *self.running.values())
            try:
                await asyncio.sleep(seconds)
            finally:
                self.running[namespace] -= 1

    def of(self, namespace: str) -> list[float]:
        """When the turns of a namespace began."""
        return [at for at, who in self.began if who == namespace]

    async def end(self) -> None:
        """Nobody wants anything any more."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert self.lanes.waiting == 0


async def test_a_few_begin_at_once_and_others_follow_as_they_end() -> None:
    log = Log()
    for _ in range(7):
        log.ask("shop", 1.0)
    await asyncio.sleep(10)
    assert log.of("shop") == pytest.approx([0, 0, 0, 1, 1, 1, 2])


async def test_a_slow_server_holds_up_neither_other_servers_nor_others() -> None:
    log = Log()
    for _ in range(50):
        log.ask("shop", 3600.0, "slow.example")
    await asyncio.sleep(1)
    log.ask("blog", 1.0)
    log.ask("shop", 1.0, "good.example")
    await asyncio.sleep(0.1)
    assert log.of("blog") == pytest.approx([1.0])
    await asyncio.sleep(10)
    assert log.of("shop")[-1] == pytest.approx(DEFAULT_BOUNDS.quick_seconds, abs=0.01)
    assert len(log.of("shop")) == 4
    await log.end()


async def test_a_namespace_of_slow_servers_is_bounded_and_others_are_free() -> None:
    log = Log()
    for number in range(50):
        log.ask("shop", 3600.0, f"slow-{number}.example")
    await asyncio.sleep(600)
    assert len(log.began) == DEFAULT_BOUNDS.per_namespace
    for number in range(5):
        log.ask(f"other-{number}", 1.0)
    await asyncio.sleep(5)
    assert len(log.began) == DEFAULT_BOUNDS.per_namespace + 5
    await log.end()


async def test_however_many_are_slow_each_namespace_has_a_turn() -> None:
    log = Log()
    for number in range(60):
        log.ask(f"team-{number % 17}", 3600.0, f"slow-{number}.example")
    await asyncio.sleep(600)
    assert len(log.began) == 17
    assert log.lanes.waiting == 43
    asked = asyncio.get_running_loop().time()
    log.ask("shop", 1.0)
    await asyncio.sleep(DEFAULT_BOUNDS.quick_seconds)
    assert log.of("shop") == pytest.approx([asked])
    for number in range(60):
        log.ask(f"further-{number}", 3600.0)
    await asyncio.sleep(600)
    assert log.most == DEFAULT_BOUNDS.most, "but all of them together are bounded"
    await log.end()


async def test_turns_of_just_under_the_time_take_no_more_than_their_share() -> None:
    log = Log()
    for attacker in range(3):
        for number in range(200):
            log.ask(f"evil-{attacker}", 4.9, f"{number}.example")
    await asyncio.sleep(30)
    asked = asyncio.get_running_loop().time()
    for _ in range(50):
        log.ask("shop", 0.2)
    await asyncio.sleep(60)
    shop = log.of("shop")
    assert len(shop) == 50
    assert shop[-1] - asked < 50 * 0.2 + 4.9, "at least one lane is its own"
    await log.end()


async def test_thousands_that_wait_cost_little() -> None:
    log = Log()
    for number in range(3000):
        log.ask("shop", 3600.0, f"{number}.example")
    await asyncio.sleep(600)
    assert len(log.began) == DEFAULT_BOUNDS.per_namespace
    looked, look = [], log.lanes._next

    def looking() -> Any:
        looked.append(1)
        return look()

    log.lanes._next = looking  # type: ignore[method-assign]
    for number in range(100):
        log.ask("shop", 3600.0, f"more-{number}.example")
    await asyncio.sleep(60)
    assert looked == [], "who comes looks at what runs, and at nobody who waits"
    await log.end()
    assert len(looked) <= DEFAULT_BOUNDS.per_namespace, "who waited in vain leaves no room that was not there"


async def test_namespaces_take_turns() -> None:
    log = Log(LaneBounds(quick=1))
    for _ in range(5):
        log.ask("crowd", 1.0)
    log.ask("late", 1.0)
    log.ask("late", 1.0)
    await asyncio.sleep(20)
    assert [who for _, who in log.began] == ["crowd", "late", "crowd", "late", "crowd", "crowd", "crowd"]


async def test_who_leaves_makes_room() -> None:
    log = Log(LaneBounds(quick=1))
    having, waiting = log.ask("shop", 10.0), log.ask("shop", 10.0)
    log.ask("shop", 1.0)
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.sleep(0.1)
    having.cancel()
    await asyncio.sleep(0.1)
    assert log.of("shop") == pytest.approx([0, 1.1])
    await log.end()


async def test_who_leaves_together_with_those_in_its_way_leaves_the_room_to_others() -> None:
    log = Log()
    leaving = [log.ask("shop", 3600.0) for _ in range(DEFAULT_BOUNDS.quick_per_namespace + 2)]
    log.ask("shop", 1.0)
    await asyncio.sleep(1)
    assert len(log.of("shop")) == DEFAULT_BOUNDS.quick_per_namespace
    for task in leaving:
        task.cancel()
    await asyncio.sleep(1)
    assert len(log.of("shop")) == DEFAULT_BOUNDS.quick_per_namespace + 1
    await log.end()


class Wish(NamedTuple):
    """After a pause, a namespace wants a turn of so many seconds."""

    pause_seconds: float
    namespace: str
    server: str
    seconds: float


wishes = st.lists(
    st.builds(
        Wish,
        st.sampled_from([0.0, 0.0, 0.3, 4.0]),
        st.sampled_from("abc"),
        st.sampled_from("xyz"),
        st.sampled_from([0.2, 3.0, 40.0, 400.0]),
    ),
    max_size=40,
)


@given(wishes)
def test_all_have_their_turn_in_the_end_and_bounds_hold(wanted: list[Wish]) -> None:
    async def play() -> None:
        log = Log()
        for wish in wanted:
            await asyncio.sleep(wish.pause_seconds)
            log.ask(wish.namespace, wish.seconds, wish.server)
        await asyncio.sleep(400.0 * (len(wanted) + 1))
        assert len(log.began) == len(wanted)
        assert log.most <= DEFAULT_BOUNDS.most
        assert log.most_of_one <= DEFAULT_BOUNDS.per_namespace
        assert log.lanes.waiting == 0
        await log.end()

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(play())
