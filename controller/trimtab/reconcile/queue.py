"""A level-triggered work queue: keys go in, each is worked on by one worker at a time, outcomes set the next turn.

Handlers, watches and timers add keys; the loop's workers take them. A key added while it is being worked on is taken
again afterwards. Failures back off exponentially with jitter, each key by itself.
"""

import asyncio
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from trimtab.core.outcome import Outcome, Result
from trimtab.reconcile.ports import Clock

RESOLUTION_SECONDS = 0.001
"""Timers due so soon fire at once: an event loop may wake a hair too early, again and again."""
SHORTEST_SECONDS = 2 * RESOLUTION_SECONDS
"""No timer is shorter: who was woken that hair too early, and asks for the rest of the time, would spin meanwhile."""

BEHIND_AT_ONCE = 2
"""So many keys that stand behind are with workers, or next in line, at a time: they share one event loop with those
that matter more."""
HOLD_SECONDS = 1.0
"""So long, at most, keys that stand behind wait for the turns of those that go ahead: what takes longer, as an apply
that waits for health, does not need the machine for itself."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What is to be reconciled: a kind of ours, its namespace and its name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(slots=True)
class Backoff:
    """Delays that double from `first_seconds` to a limit, each scattered by up to a fifth."""

    first_seconds: float = 1.0
    failures: int = 0

    def next_seconds(self, limit_seconds: float, *, scatter: float) -> float:
        """The next delay; `scatter` is a random number from 0 to 1."""
        delay = min(self.first_seconds * 2.0 ** min(self.failures, 32), limit_seconds)
        self.failures += 1
        return delay * (0.8 + 0.4 * scatter)


@dataclass(slots=True)
class _State:
    queued: bool = False
    running: bool = False
    dirty: bool = False
    due: float | None = None
    behind: bool = False
    """Whether it holds one of the places of keys that stand behind."""
    added_at: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)


class WorkQueue:
    """Deduplicated keys with per-key timers and back-off. Not thread-safe: lives on the event loop."""

    def __init__(self, clock: Clock, *, first_seconds: float = 1.0, seed: int | None = None) -> None:
        self._clock = clock
        self._first_seconds = first_seconds
        self._random = random.Random(seed)  # noqa: S311 - scatter of delays, no secret
        self._states: dict[Key, _State] = {}
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._behind: dict[Key, None] = {}
        self._places = BEHIND_AT_ONCE
        self._ahead: set[Key] = set()
        self._held_until = 0.0
        self._timers: list[tuple[float, int, Key]] = []
        self._serial = count()
        self._alarm = asyncio.Event()
        self.added_again: Callable[[Key], None] = lambda _: None
        """Called for a key that is added while somebody works on it."""

    @property
    def depth(self) -> int:
        """How many keys wait for a worker now."""
        return self._ready.qsize() + len(self._behind)

    def add(self, key: Key, *, behind: bool = False) -> None:
        """Have the key worked on as soon as a worker is free; cancels its timer.

        `behind`: after all others, few at a time, unless it is added once more without.
        """
        state = self._state(key)
        state.due = None
        if state.running:
            state.dirty = True
            self.added_again(key)
        elif not state.queued:
            state.queued = True
            state.added_at = self._clock.monotonic()
            if behind:
                self._behind[key] = None
                self._let_in()
            else:
                self._ready.put_nowait(key)
        elif key in self._behind and not behind:
            del self._behind[key]
            self._ready.put_nowait(key)

    def add_ahead(self, key: Key) -> None:
        """As `add`; keys that come to stand behind are held until its turn is over, for `HOLD_SECONDS` at most.

        Those that stand there already are not held any longer: a stream of changes cannot keep them for ever.
        """
        now = self._clock.monotonic()
        if now >= self._held_until:
            # Whose turn still lasts from before has had its second.
            self._ahead.clear()
        if not self._behind:
            self._held_until = now + HOLD_SECONDS
        self._ahead.add(key)
        self.add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Have the key worked on later; the earliest of several timers wins."""
        state = self._state(key)
        due = self._clock.monotonic() + max(seconds, SHORTEST_SECONDS)
        if state.queued or (state.due is not None and state.due <= due):
            return
        state.due = due
        heapq.heappush(self._timers, (due, next(self._serial), key))
        self._alarm.set()

    async def take(self) -> tuple[Key, float]:
        """The next key and the seconds that it waited. The caller must call `finished` for it."""
        key = await self._ready.get()
        state = self._states[key]
        state.queued, state.running, state.dirty, state.due = False, True, False, None
        return key, self._clock.monotonic() - state.added_at

    def begins(self, key: Key) -> None:
        """The turn of a key that was taken begins only now: what made it be added meanwhile is seen by this turn."""
        self._states[key].dirty = False

    def finished(self, key: Key, outcome: Outcome, *, limit_seconds: float) -> None:
        """Give a key back: schedule its next turn after what its outcome says."""
        state = self._states[key]
        state.running = False
        if state.behind:
            state.behind = False
            self._places += 1
        if not state.dirty:
            self._ahead.discard(key)
        self._let_in()
        if outcome.result is not Result.FAILURE:
            state.backoff = Backoff(self._first_seconds)
        if state.dirty:
            self.add(key)
        elif outcome.retry_seconds == 0 and outcome.result is Result.FAILURE:
            self.add_after(key, state.backoff.next_seconds(limit_seconds, scatter=self._random.random()))
        elif outcome.retry_seconds is not None:
            self.add_after(key, outcome.retry_seconds)

    def forget(self, key: Key) -> None:
        """Drop timers and back-off of a key whose object is gone."""
        state = self._states.get(key)
        if state is None:
            return
        state.due = None
        state.backoff = Backoff(self._first_seconds)

    async def run_timers(self) -> None:
        """Move keys whose time has come to the ready ones; runs until cancelled."""
        while True:
            self._alarm.clear()
            waits = [wait for wait in (self._fire_due(), self._release()) if wait is not None]
            try:
                # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the alarm.
                async with asyncio.timeout(min(waits, default=None)):
                    await self._alarm.wait()
            except TimeoutError:
                continue

    def _fire_due(self) -> float | None:
        while self._timers:
            due, _, key = self._timers[0]
            state = self._states.get(key)
            if state is None or state.due != due:
                heapq.heappop(self._timers)
                continue
            left = due - self._clock.monotonic()
            if left > RESOLUTION_SECONDS:
                return left
            heapq.heappop(self._timers)
            self.add(key)
        return None

    def _release(self) -> float | None:
        """Let those behind in whose time has come; the seconds until then otherwise."""
        if not self._behind or not self._ahead:
            return None
        left = self._held_until - self._clock.monotonic()
        if left > RESOLUTION_SECONDS:
            return left
        self._ahead.clear()
        self._let_in()
        return None

    def _let_in(self) -> None:
        """Give free places to keys that stand behind, unless they are held."""
        if self._ahead and self._clock.monotonic() < self._held_until:
            self._alarm.set()
            return
        while self._behind and self._places:
            key = next(iter(self._behind))
            del self._behind[key]
            self._places -= 1
            self._states[key].behind = True
            self._ready.put_nowait(key)

    def _state(self, key: Key) -> _State:
        if key not in self._states:
            self._states[key] = _State(backoff=Backoff(self._first_seconds))
        return self._states[key]
