"""Bounded concurrency."""

import asyncio
from functools import partial

import pytest

from trimtab.reconcile.parallel import gather_bounded

pytestmark = pytest.mark.looptime


class Counter:
    """Counts how many run at once."""

    def __init__(self) -> None:
        self.now = self.most = self.ended = 0

    async def call(self, number: int) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(10 - number)
        self.now -= 1
        self.ended += 1
        if number == 3:
            raise ValueError("three")
        return number


async def test_results_come_in_order_and_no_more_run_than_allowed() -> None:
    counter = Counter()
    calls = [partial(counter.call, number) for number in range(3)]
    assert await gather_bounded(calls, 2) == [0, 1, 2]
    assert counter.most == 2


async def test_an_error_is_raised_when_all_have_ended() -> None:
    counter = Counter()
    with pytest.raises(ValueError, match="three"):
        await gather_bounded([partial(counter.call, number) for number in range(6)], 3)
    assert counter.ended == 6


async def test_nothing_to_do() -> None:
    assert await gather_bounded([], 1) == []
