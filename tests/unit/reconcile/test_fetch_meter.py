"""Fetches are counted with what they came to, and how long they took."""

import asyncio

import pytest
from tests.fakes.clock import LoopClock

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.fetch_meter import FetchMeter

pytestmark = pytest.mark.looptime


async def fetching(found: object) -> object:
    await asyncio.sleep(2)
    if isinstance(found, Exception):
        raise found
    return found


async def test_what_came_of_it_is_told_with_its_time() -> None:
    told: list[tuple[str, float]] = []
    meter = FetchMeter(LoopClock(), lambda result, seconds: told.append((result, round(seconds, 3))))
    assert await meter.measure(fetching("new"), lambda found: found == "new") == "new"
    assert await meter.measure(fetching("old"), lambda found: found == "new") == "old"
    with pytest.raises(SourceError):
        await meter.measure(fetching(SourceError(Problem("away", reason="TimedOut"))), lambda _found: True)
    assert told == [("changed", 2.0), ("unchanged", 2.0), ("TimedOut", 2.0)]


async def test_where_nobody_counts_the_result_is_the_same() -> None:
    assert await FetchMeter(LoopClock()).measure(fetching(1), bool) == 1
