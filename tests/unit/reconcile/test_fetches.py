"""Things are fetched beside the loop: once for all who ask, a few at a time from each server, failures remembered."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.fakes.clock import LoopClock

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.fetches import KEPT_SECONDS, Fetches
from trimtab.reconcile.lanes import DEFAULT_BOUNDS, Lanes
from trimtab.reconcile.queue import Key

pytestmark = pytest.mark.looptime

A, B = Key("Application", "shop", "a"), Key("Application", "shop", "b")
OTHERS = Key("Application", "blog", "c")
AWAY = SourceError(Problem("away", reason="ConnectionFailed", retry=True))


class Harbour:
    """Fetches, who was woken, and what was begun."""

    def __init__(self) -> None:
        self.woken: list[Key] = []
        self.begun: list[str] = []
        self.fetches = Fetches(self.woken.append, LoopClock(), Lanes())
        self.trouble: Exception | None = None

    def fetch(self, what: str, seconds: float = 1.0) -> Callable[[], Awaitable[str]]:
        """A download that takes its time."""

        async def work() -> str:
            self.begun.append(what)
            await asyncio.sleep(seconds)
            if self.trouble is not None:
                raise self.trouble
            return f"the {what}"

        return work

    def ask(self, what: str, asker: Key = A, *, server: str = "one", seconds: float = 1.0) -> object:
        """As a turn does."""
        return self.fetches.ask(asker, what, server, self.fetch(what, seconds))


async def test_it_is_fetched_once_for_all_who_ask() -> None:
    harbour = Harbour()
    assert harbour.ask("chart") is None
    assert harbour.ask("chart", B) is None
    await asyncio.sleep(2)
    assert harbour.woken == [A, B]
    assert harbour.ask("chart") == harbour.ask("chart", B) == "the chart"
    assert harbour.begun == ["chart"]


async def test_what_nobody_asks_for_any_more_is_let_go() -> None:
    harbour = Harbour()
    harbour.ask("chart")
    await asyncio.sleep(KEPT_SECONDS)
    assert harbour.ask("chart") == "the chart"
    await asyncio.sleep(KEPT_SECONDS)
    harbour.ask("other")
    await asyncio.sleep(2)
    assert harbour.ask("chart") is None
    await harbour.fetches.close()
    assert harbour.begun == ["chart", "other"]


async def test_a_failure_is_told_until_its_pause_is_over_and_pauses_grow() -> None:
    harbour = Harbour()
    harbour.trouble = AWAY
    for pause in (0.5, 1.0, 2.0, 4.0):
        assert harbour.ask("chart") is None
        await asyncio.sleep(1 + pause * 0.9)
        assert harbour.ask("chart") is AWAY
        await asyncio.sleep(pause * 0.2)


async def test_who_pokes_has_it_tried_at_once() -> None:
    harbour = Harbour()
    harbour.trouble = AWAY
    harbour.ask("chart")
    await asyncio.sleep(1.001)
    assert harbour.ask("chart") is AWAY
    harbour.fetches.try_again(B)
    assert harbour.ask("chart") is AWAY
    harbour.fetches.try_again(A)
    assert harbour.ask("chart") is None
    harbour.trouble = None
    await asyncio.sleep(1.001)
    assert harbour.ask("chart") == "the chart"


async def test_a_poke_while_it_is_under_way_is_not_answered_by_its_failure() -> None:
    harbour = Harbour()
    harbour.trouble = AWAY
    harbour.ask("chart")
    await asyncio.sleep(0.5)
    harbour.fetches.try_again(B)
    await asyncio.sleep(0.501)
    assert harbour.ask("chart") is AWAY, "who poked does not ask for it"
    await asyncio.sleep(KEPT_SECONDS)
    harbour.ask("chart")
    await asyncio.sleep(0.5)
    harbour.fetches.try_again(A)
    begun = len(harbour.begun)
    await asyncio.sleep(0.501)
    assert harbour.ask("chart") is None, "the poke came after it had begun"
    await asyncio.sleep(1.001)
    assert harbour.ask("chart") is AWAY, "one poke, one try"
    assert len(harbour.begun) == begun + 1


async def test_a_server_that_stalls_takes_no_more_than_its_own_lanes() -> None:
    harbour = Harbour()
    for number in range(20):
        assert harbour.ask(f"slow {number}", Key("Application", "shop", str(number)), seconds=600) is None
    assert harbour.ask("chart", B, server="two") is None
    assert harbour.ask("other", OTHERS, server="one") is None
    await asyncio.sleep(2)
    assert harbour.woken == [OTHERS], "whatever this namespace asks for, others have lanes left"
    await asyncio.sleep(DEFAULT_BOUNDS.quick_seconds)
    assert harbour.woken == [OTHERS, B]
    assert len([each for each in harbour.begun if each.startswith("slow")]) <= DEFAULT_BOUNDS.quick_per_namespace
    await harbour.fetches.close()


async def test_what_is_on_its_way_for_somebody_gone_is_given_up() -> None:
    harbour = Harbour()
    harbour.ask("chart")
    harbour.ask("both")
    harbour.ask("both", B)
    await asyncio.sleep(0)
    harbour.fetches.forget(A)
    await asyncio.sleep(5)
    assert harbour.woken == [B]


async def test_what_nobody_expected_is_an_error_like_others(caplog: pytest.LogCaptureFixture) -> None:
    harbour = Harbour()
    harbour.trouble = RuntimeError("canary")
    harbour.ask("chart")
    await asyncio.sleep(2)
    found = harbour.ask("chart")
    assert isinstance(found, SourceError)
    assert found.reason == "FetchFailed"
    assert "canary" not in str(found)
    assert harbour.woken == [A]
    assert "unexpected failure" in caplog.text
