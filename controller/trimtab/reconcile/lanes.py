"""Who may fetch next: bounded, and fair between namespaces, so that slow servers hold up nobody but who asked them.

Whoever is about to ask a server takes a turn for a namespace and a server, and gives it back. A turn is quick at first;
one that lasts no longer stands in the way of others, and counts against its own namespace and server only.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import exp2
from typing import Final

from trimtab.reconcile.queue import RESOLUTION_SECONDS

_HALF_LIFE_SECONDS: Final = 60.0
"""In so long, half of the time that a namespace has used is forgotten."""


@dataclass(frozen=True, slots=True)
class LaneBounds:
    """How many turns there may be at a time."""

    quick: int = 4
    """Of those that have just begun: a burst of them takes memory and the processor."""
    quick_per_namespace: int = 3
    quick_seconds: float = 5.0
    all: int = 16
    per_namespace: int = 12
    most: int = 20
    """With those of namespaces that have no other: such a one may begin where all others have to wait."""
    slow_per_server: int = 2
    """Of one namespace: while so many are slow, no other begins, for it would be as slow."""


DEFAULT_BOUNDS: Final = LaneBounds()


@dataclass(eq=False, slots=True)
class _Turn:
    namespace: str
    server: str
    number: int
    may_begin: "asyncio.Future[None]"
    began: float = 0.0


@dataclass(slots=True)
class _Counts:
    """What is under way."""

    running: int = 0
    quick: int = 0
    of_namespace: Counter[str] = field(default_factory=Counter)
    quick_of_namespace: Counter[str] = field(default_factory=Counter)
    slow_at: Counter[tuple[str, str]] = field(default_factory=Counter)


class Lanes:
    """Turns under way and those that wait. Not thread-safe: lives on the event loop."""

    def __init__(self, bounds: LaneBounds = DEFAULT_BOUNDS) -> None:
        self._bounds = bounds
        self._running: set[_Turn] = set()
        self._waiting: dict[str, dict[str, deque[_Turn]]] = {}
        self._used: dict[str, tuple[float, float]] = {}
        self._numbers = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many turns are waited for."""
        return sum(len(line) for lines in self._waiting.values() for line in lines.values())

    @asynccontextmanager
    async def turn(self, namespace: str, server: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it while inside. Whose namespace has used least of late is first; within one, who
        came first.
        """
        self._numbers += 1
        turn = _Turn(namespace, server, self._numbers, asyncio.get_running_loop().create_future())
        line = self._waiting.setdefault(namespace, {}).setdefault(server, deque())
        line.append(turn)
        # Whoever waits already had to before: nothing has changed for them.
        if len(line) == 1 and self._may_begin(turn, self._counts()):
            self._begin(turn)
        self._look_again()
        try:
            await turn.may_begin
            yield
        finally:
            if turn in self._running:
                self._end(turn)
                self._next_ones()
            else:
                self._leave_line(turn)
                self._next_in_line(namespace, server)

    def _begin(self, turn: _Turn) -> None:
        self._leave_line(turn)
        self._running.add(turn)
        turn.began = _now()
        turn.may_begin.set_result(None)

    def _end(self, turn: _Turn) -> None:
        self._running.remove(turn)
        used = self._stored(turn.namespace) + min(_now() - turn.began, self._bounds.quick_seconds)
        self._used[turn.namespace] = used, _now()

    def _leave_line(self, turn: _Turn) -> None:
        lines = self._waiting[turn.namespace]
        lines[turn.server].remove(turn)
        if not lines[turn.server]:
            del lines[turn.server]
        if not lines:
            del self._waiting[turn.namespace]

    def _next_in_line(self, namespace: str, server: str) -> None:
        """Somebody left a line. What runs is as before, so nobody else may begin for it; but while that one was on the
        way out at the head, whoever stands behind was not seen.
        """
        line = self._waiting.get(namespace, {}).get(server)
        if line and self._may_begin(line[0], self._counts()):
            self._next_ones()
        else:
            self._look_again()

    def _next_ones(self) -> None:
        """Let all begin that may."""
        while (turn := self._next()) is not None:
            self._begin(turn)
        self._look_again()

    def _next(self) -> _Turn | None:
        counts = self._counts()
        if counts.quick >= self._bounds.quick:
            return None
        namespaces = [each for each in self._waiting if self._has_room(each, counts)]
        for namespace in sorted(namespaces, key=lambda each: (counts.quick_of_namespace[each], self._used_by(each))):
            heads = (line[0] for line in self._waiting[namespace].values())
            able = [turn for turn in heads if self._may_begin(turn, counts)]
            if able:
                return min(able, key=lambda turn: turn.number)
        return None

    def _may_begin(self, turn: _Turn, counts: _Counts) -> bool:
        return (
            not turn.may_begin.done()
            and counts.quick < self._bounds.quick
            and self._has_room(turn.namespace, counts)
            and counts.slow_at[turn.namespace, turn.server] < self._bounds.slow_per_server
        )

    def _has_room(self, namespace: str, counts: _Counts) -> bool:
        bounds = self._bounds
        if not counts.of_namespace[namespace]:
            return counts.running < bounds.most
        return (
            counts.running < bounds.all
            and counts.of_namespace[namespace] < bounds.per_namespace
            and counts.quick_of_namespace[namespace] < bounds.quick_per_namespace
        )

    def _counts(self) -> _Counts:
        counts = _Counts(len(self._running))
        for turn in self._running:
            counts.of_namespace[turn.namespace] += 1
            if self._is_quick(turn):
                counts.quick += 1
                counts.quick_of_namespace[turn.namespace] += 1
            else:
                counts.slow_at[turn.namespace, turn.server] += 1
        return counts

    def _is_quick(self, turn: _Turn) -> bool:
        # An event loop may wake a hair too early.
        return _now() + RESOLUTION_SECONDS < turn.began + self._bounds.quick_seconds

    def _used_by(self, namespace: str) -> float:
        """Seconds of quick lanes, those under way included; what is long ago counts little."""
        running = (turn for turn in self._running if turn.namespace == namespace)
        return self._stored(namespace) + sum(min(_now() - turn.began, self._bounds.quick_seconds) for turn in running)

    def _stored(self, namespace: str) -> float:
        seconds, at = self._used.get(namespace, (0.0, _now()))
        return seconds * exp2((at - _now()) / _HALF_LIFE_SECONDS)

    def _look_again(self) -> None:
        """Time alone lets others begin, too: when the oldest quick turn turns slow."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        quick = [turn.began for turn in self._running if self._is_quick(turn)]
        if self._waiting and quick:
            due = min(quick) + self._bounds.quick_seconds
            self._timer = asyncio.get_running_loop().call_at(due, self._next_ones)
        if not self._running and not self._waiting:
            self._used.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()
