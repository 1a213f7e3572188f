"""Fetches that are asked for several times at once: one is made, all who waited share its answer.

A key and a way to make the answer flow in, the answer flows out. `mirrors` calls it, from one event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class Flight(Generic[Answer]):
    """A fetch that is waiting or under way. `timeout_seconds` is the longest that anybody aboard grants it."""

    timeout_seconds: float
    task: "asyncio.Task[Answer] | None" = None
    aboard: int = 0


class Flights(Generic[Answer]):
    """Joins callers by key until the work begins.

    Who comes after that gets a flight of their own: what they know of may have happened after the server was asked.
    """

    def __init__(self) -> None:
        self._waiting: dict[object, Flight[Answer]] = {}

    async def join(
        self, key: object, make: Callable[[Flight[Answer]], Awaitable[Answer]], *, timeout_seconds: float
    ) -> Answer:
        """The shared answer. `make` gets the flight, and calls `depart` when it begins to ask.

        A caller that is cancelled leaves the others aboard; with the last one the work is cancelled.
        """
        flight = self._waiting.get(key)
        if flight is None:
            flight = Flight(timeout_seconds)
            self._waiting[key] = flight
            flight.task = asyncio.ensure_future(self._fly(key, flight, make))
            # Nobody may be aboard any more when it fails.
            flight.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        flight.timeout_seconds = max(flight.timeout_seconds, timeout_seconds)
        assert flight.task is not None
        flight.aboard += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.aboard -= 1
            if not flight.aboard and not flight.task.done():
                self.depart(key, flight)
                flight.task.cancel()

    def depart(self, key: object, flight: Flight[Answer]) -> None:
        """The work begins: nobody joins any more."""
        if self._waiting.get(key) is flight:
            del self._waiting[key]

    async def _fly(
        self, key: object, flight: Flight[Answer], make: Callable[[Flight[Answer]], Awaitable[Answer]]
    ) -> Answer:
        try:
            return await make(flight)
        finally:
            self.depart(key, flight)
