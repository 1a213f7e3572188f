"""Bounded concurrency for requests: callables in, results out in the same order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def gather_bounded(calls: Sequence[Callable[[], Awaitable[T]]], in_flight: int) -> list[T]:
    """Await all calls, at most `in_flight` at a time. Raises the first exception, once all others have ended."""
    slots = asyncio.Semaphore(in_flight)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with slots:
            return await call()

    results = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
