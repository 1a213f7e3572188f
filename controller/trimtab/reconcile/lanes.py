"""Who may fetch next: bounded, and fair between namespaces, so that slow servers hold up nobody but who asked them.

Whoever is about to ask a server takes a turn for a namespace and a server, and gives it back. A turn is quick at first;
one that lasts no longer stands in the way of others, and counts against its own namespace and server only.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from trimtab.reconcile.queue import RESOLUTION_SECONDS


@dataclass(frozen=True, slots=True)
class LaneBounds:
    """How many turns there may be at a time. Whatever others do, each namespace may have one."""

    quick: int = 4
    """Of those that have just begun: a burst of them takes memory and the processor."""
    quick_per_namespace: int = 3
    quick_seconds: float = 5.0
    all: int = 16
    per_namespace: int = 12
    slow_per_server: int = 2
    """Of one namespace: more would be as slow."""


DEFAULT_BOUNDS: Final = LaneBounds()


@dataclass(eq=False, slots=True)
class _Turn:
    namespace: str
    server: str
    began: float
    may_begin: "asyncio.Future[None]"


class Lanes:
    """Turns under way and those that wait. Not thread-safe: lives on the event loop."""

    def __init__(self, bounds: LaneBounds = DEFAULT_BOUNDS) -> None:
        self._bounds = bounds
        self._running: list[_Turn] = []
        self._waiting: list[_Turn] = []
        self._last_began: dict[str, int] = {}
        self._serial = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many turns are waited for."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, namespace: str, server: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it while inside. Namespaces take turns; within one, who came first is first."""
        turn = _Turn(namespace, server, 0.0, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._begin()
        try:
            await turn.may_begin
            yield
        finally:
            (self._running if turn in self._running else self._waiting).remove(turn)
            self._begin()

    def _begin(self) -> None:
        """Let all begin that may."""
        while (turn := self._next()) is not None:
            self._waiting.remove(turn)
            self._running.append(turn)
            self._serial += 1
            self._last_began[turn.namespace] = self._serial
            turn.began = asyncio.get_running_loop().time()
            turn.may_begin.set_result(None)
        self._look_again()

    def _next(self) -> _Turn | None:
        """The first of the namespace that has waited longest for its last turn, of those that may begin."""
        able = [turn for turn in self._waiting if not turn.may_begin.done() and self._may_begin(turn)]
        return min(able, key=lambda turn: self._last_began.get(turn.namespace, 0), default=None)

    def _may_begin(self, turn: _Turn) -> bool:
        bounds = self._bounds
        quick = [each for each in self._running if self._is_quick(each)]
        if len(quick) >= bounds.quick:
            return False
        own = [each for each in self._running if each.namespace == turn.namespace]
        if not own:
            return True
        slow_there = [each for each in own if each.server == turn.server and not self._is_quick(each)]
        return (
            len(self._running) < bounds.all
            and len(own) < bounds.per_namespace
            and sum(each in own for each in quick) < bounds.quick_per_namespace
            and len(slow_there) < bounds.slow_per_server
        )

    def _is_quick(self, turn: _Turn) -> bool:
        # An event loop may wake a hair too early.
        return asyncio.get_running_loop().time() + RESOLUTION_SECONDS < turn.began + self._bounds.quick_seconds

    def _look_again(self) -> None:
        """Time alone lets others begin, too: when the oldest quick turn turns slow."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        quick = [turn.began for turn in self._running if self._is_quick(turn)]
        if self._waiting and quick:
            due = min(quick) + self._bounds.quick_seconds
            self._timer = asyncio.get_running_loop().call_at(due, self._begin)
        if not self._running and not self._waiting:
            self._last_began.clear()
