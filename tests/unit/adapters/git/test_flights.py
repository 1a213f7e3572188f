"""Joint flights: who shares, who does not, and who pays for a cancellation."""

import asyncio

import pytest

from trimtab.adapters.git.flights import Flight, Flights


class Work:
    """Work that begins and ends when the test says so."""

    def __init__(self) -> None:
        self.flights: Flights[int] = Flights()
        self.begin = asyncio.Event()
        self.finish = asyncio.Event()
        self.made = 0
        self.cancelled = 0
        self.granted_seconds: list[float] = []

    async def make(self, flight: Flight[int]) -> int:
        self.made += 1
        number = self.made
        try:
            await self.begin.wait()
            self.flights.depart("k", flight)
            self.granted_seconds.append(flight.timeout_seconds)
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return number

    def board(self, timeout_seconds: float = 1.0) -> "asyncio.Task[int]":
        return asyncio.ensure_future(self.flights.join("k", self.make, timeout_seconds=timeout_seconds))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_who_come_before_it_begins_share_one():
    work = Work()
    tasks = [work.board(seconds) for seconds in (1.0, 9.0, 2.0)]
    await settle()
    work.begin.set()
    work.finish.set()
    assert await asyncio.gather(*tasks) == [1, 1, 1]
    assert work.granted_seconds == [9.0]


async def test_who_comes_after_it_began_gets_the_next():
    work = Work()
    first = work.board()
    work.begin.set()
    await settle()
    second = work.board()
    await settle()
    work.finish.set()
    assert (await first, await second) == (1, 2)


async def test_one_leaving_hurts_nobody_and_the_last_one_ends_it():
    work = Work()
    first, second = work.board(), work.board()
    await settle()
    first.cancel()
    await settle()
    assert work.cancelled == 0
    second.cancel()
    await settle()
    assert work.cancelled == 1
    work.begin.set()
    work.finish.set()
    assert await work.board() == 2, "nobody joins what was cancelled"


async def test_an_error_reaches_everybody():
    flights: Flights[int] = Flights()

    async def fail(flight: Flight[int]) -> int:
        raise LookupError

    tasks = [asyncio.ensure_future(flights.join("k", fail, timeout_seconds=1)) for _ in range(2)]
    for task in tasks:
        with pytest.raises(LookupError):
            await task
