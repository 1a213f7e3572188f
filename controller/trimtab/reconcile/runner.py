"""Carries out an apply run: the one place where its commands become requests and answers become its events.

The Application's reconciler starts a run and reads its results afterwards; the observer is told of every apply, so
that events of our own doing pass for what they are.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.apply.commands import (
    Apply,
    AwaitEstablished,
    AwaitGone,
    Claim,
    Command,
    Get,
    ObjectCommand,
    Record,
    Remove,
    Retry,
    Unmark,
)
from trimtab.apply.engine import ApplyRun
from trimtab.apply.events import (
    Answered,
    Claimed,
    Established,
    Event,
    Gone,
    Got,
    Recorded,
    RecordFailed,
    Refused,
    Removed,
    Tick,
    TimedOut,
    Unmarked,
)
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Entry
from trimtab.core.observed import Absent, Live
from trimtab.core.refs import ObjectRef
from trimtab.health.assess import assess
from trimtab.health.status import HealthStatus
from trimtab.plan.ownership import Owner, unmark_patch
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import Clock, InventoryStore, Objects

TICK_SECONDS = 2.0
"""How often a long run writes what it has applied so far."""
POLL_FIRST_SECONDS = 0.05
POLL_MOST_SECONDS = 2.0


OnAnswer = Callable[[ObjectRef, dict[str, Any]], None]
OnRecorded = Callable[[Mapping[ObjectRef, Entry | None]], None]


class Runner:
    """Interprets apply runs against the ports."""

    def __init__(self, objects: Objects, store: InventoryStore, observer: Observer, clock: Clock) -> None:
        self._objects = objects
        self._store = store
        self._observer = observer
        self.clock = clock

    async def run(
        self,
        run: ApplyRun,
        owner: Owner,
        *,
        timeout_seconds: float,
        superseded: Callable[[], bool],
        on_answer: OnAnswer,
        on_recorded: OnRecorded,
    ) -> None:
        """Carry the run out to its end; `superseded` is asked between answers and cancels it.

        `on_answer` is told of every applied object, `on_recorded` of inventory entries that are written, each before
        the run is.
        """
        execution = _Execution(self, run, _Context(owner, timeout_seconds, on_answer, on_recorded))
        await execution.drive(superseded)

    async def carry_out(self, command: ObjectCommand | Record, context: "_Context") -> Event:
        """One command to its one event; no exception of a request gets past here."""
        match command:
            case Record(entries=entries):
                return await self._record(entries, context)
            case Apply() as apply:
                return await self._apply(apply, context)
            case _:
                try:
                    return await self._carry_out(command, context.timeout_seconds)
                except ApiError as error:
                    return Refused(command.ref, error)

    async def _carry_out(
        self, command: Get | Claim | Remove | Unmark | AwaitGone | AwaitEstablished, timeout_seconds: float
    ) -> Event:
        match command:
            case Get(ref=ref, version=version):
                return Got(ref, await self._objects.get(ref, version))
            case Claim(ref=ref, version=version):
                metadata = {
                    "resourceVersion": command.resource_version,
                    "managedFields": list(command.managed_fields),
                }
                return Claimed(ref, await self._objects.merge(ref, version, {"metadata": metadata}))
            case Remove(ref=ref, version=version):
                await self._objects.delete(ref, version, uid=command.uid, resource_version=command.resource_version)
                return Removed(ref)
            case Unmark(ref=ref, version=version, uid=uid):
                return await self._unmark(ref, version, uid)
            case AwaitGone(ref=ref, version=version, uid=uid):
                gone = await self._poll(ref, version, timeout_seconds, lambda live: live is None or live.uid != uid)
                return Gone(ref) if gone else TimedOut(ref)
            case AwaitEstablished(ref=ref):
                return await self._await_established(ref, timeout_seconds)

    async def _record(self, entries: Mapping[ObjectRef, Entry | None], context: "_Context") -> Event:
        owner = context.owner
        try:
            await self._store.change(owner.namespace, owner.name, owner.uid, entries)
        except ApiError as error:
            return RecordFailed(str(error), final=not error.transient)
        context.on_recorded(entries)
        return Recorded(tuple(entries))

    async def _apply(self, command: Apply, context: "_Context") -> Event:
        self._observer.hold(command.ref)
        answer = None
        try:
            answer = await self._objects.apply(command.body)
            context.on_answer(command.ref, answer)
            return Answered(command.ref, answer)
        except ApiError as error:
            return Refused(command.ref, error)
        finally:
            self._observer.release(command.ref, answer)

    async def _unmark(self, ref: ObjectRef, version: str, uid: str) -> Event:
        try:
            await self._objects.merge(ref, version, unmark_patch(uid))
        except ApiError as error:
            if error.not_found or error.conflict:  # absent, or another object under that name
                return Gone(ref)
            raise
        return Unmarked(ref)

    async def _await_established(self, ref: ObjectRef, timeout_seconds: float) -> Event:
        def served(live: Live | None) -> bool:
            return live is not None and assess(live.body).status is HealthStatus.CURRENT

        if not await self._poll(ref, "v1", timeout_seconds, served):
            return TimedOut(ref)
        return Established(ref)

    async def _poll(
        self, ref: ObjectRef, version: str, timeout_seconds: float, done: Callable[[Live | None], bool]
    ) -> bool:
        """GET with growing pauses until `done` holds of a known state; False when time is up."""
        deadline = self.clock.monotonic() + timeout_seconds
        pause = POLL_FIRST_SECONDS
        while True:
            observed = await self._objects.get(ref, version)
            known = observed if isinstance(observed, Live) else None
            if (isinstance(observed, Live | Absent)) and done(known):
                return True
            if self.clock.monotonic() + pause > deadline:
                return False
            await self.clock.sleep(pause)
            pause = min(pause * 1.5, POLL_MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class _Context:
    """On whose behalf, how long waits may take, and who is told what."""

    owner: Owner
    timeout_seconds: float
    on_answer: OnAnswer
    on_recorded: OnRecorded


class _Execution:
    """One run in progress: its tasks, and the queue on which their events come back."""

    def __init__(self, runner: Runner, run: ApplyRun, context: _Context) -> None:
        self._runner = runner
        self._run = run
        self._context = context
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: list[asyncio.Task[None]] = []
        self._waiting: dict[asyncio.Task[None], ObjectCommand | Record] = {}
        self._cancelled = False

    async def drive(self, superseded: Callable[[], bool]) -> None:
        """Feed events to the run until it is done and nothing is in flight.

        Raises what a command died of that is no refusal, once all that does not wait for it has ended.
        """
        self._begin(self._run.start())
        ticker = asyncio.create_task(self._tick())
        try:
            while self._tasks or not self._events.empty():
                event = await self._events.get()
                if not self._cancelled and superseded():
                    self._cancel()
                self._begin(self._run.on(event))
        finally:
            ticker.cancel()
            for task in self._tasks:
                task.cancel()
        for task in self._ended:
            task.result()

    def _begin(self, commands: list[Command]) -> None:
        for command in commands:
            task = asyncio.create_task(self._one(command))
            self._tasks.add(task)
            if isinstance(command, Retry):
                self._waiting[task] = command.command
            elif isinstance(command, AwaitGone | AwaitEstablished):
                self._waiting[task] = command

    async def _one(self, command: Command) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if isinstance(command, Retry):
                await self._runner.clock.sleep(command.delay_seconds)
                command = command.command
                if not isinstance(command, AwaitGone | AwaitEstablished):
                    self._waiting.pop(task, None)
            event = await self._runner.carry_out(command, self._context)
        except asyncio.CancelledError:
            if task not in self._waiting:
                raise
            event = _cut_short(self._waiting[task])
        finally:
            self._tasks.discard(task)
            self._waiting.pop(task, None)
            self._ended.append(task)
        self._events.put_nowait(event)

    def _cancel(self) -> None:
        """Take no new work, and let nothing wait for what an older revision wanted."""
        self._cancelled = True
        waiting = list(self._waiting)
        self._begin(self._run.cancel())
        for task in waiting:
            task.cancel()

    async def _tick(self) -> None:
        while True:
            await self._runner.clock.sleep(TICK_SECONDS)
            self._events.put_nowait(Tick())


def _cut_short(command: ObjectCommand | Record) -> Event:
    if isinstance(command, Record):
        return RecordFailed("a newer revision came before it was tried again")
    return TimedOut(command.ref)
