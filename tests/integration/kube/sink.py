"""Collects what watches show, for tests to wait on."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from trimtab.reconcile.ports import Seen, Synced, Vanished, WatchEvent, WatchTrouble


async def until(check: Callable[[], bool], *, timeout_seconds: float = 20) -> None:
    """Wait for a state that nothing announces."""
    async with asyncio.timeout(timeout_seconds):
        while not check():  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.02)


T = TypeVar("T", Seen, Vanished, Synced, WatchTrouble)


class Sink:
    def __init__(self) -> None:
        self.events: list[WatchEvent] = []
        self._more = asyncio.Event()

    def __call__(self, event: WatchEvent) -> None:
        self.events.append(event)
        self._more.set()

    def all(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def forget(self) -> None:
        self.events.clear()

    async def next(
        self, kind: type[T], check: Callable[[T], bool] = lambda _: True, *, timeout_seconds: float = 20
    ) -> T:
        """The first event of a kind that passes the check, among those collected since the last `forget`."""
        async with asyncio.timeout(timeout_seconds):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and check(event):
                        return event
                self._more.clear()
                await self._more.wait()

    async def object(self, kind: type[Seen] | type[Vanished], name: str) -> dict:
        """The body of the first event of a kind about an object of this name."""

        def named(event: Seen | Vanished) -> bool:
            return event.body["metadata"]["name"] == name

        event = await self.next(Seen, named) if kind is Seen else await self.next(Vanished, named)
        return event.body
