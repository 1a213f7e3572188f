"""A plan in, commands out; events in, results out: the state machine that carries a plan out and touches nothing.

The loop makes an `ApplyRun`, carries out what `start`, `on` and `cancel` return, and reports one event per command
until `done`. Rules that hold at any time, and that a kill -9 relies on:

- No more than `in_flight` requests are out, beside one inventory write. Waits are no requests.
- Before a first apply the entry Intended is on record; an entry goes only after its object is gone or let go.
- What fails takes down only what waits for it. Prunes start when all applies have ended.
"""

from collections import deque
from dataclasses import replace

from trimtab.apply.commands import AwaitEstablished, AwaitGone, Command, ObjectCommand, Retry
from trimtab.apply.events import Event, ObjectEvent, Recorded, RecordFailed, Tick, TimedOut
from trimtab.apply.ledger import Ledger
from trimtab.apply.results import Ending, ObjectResult
from trimtab.apply.schedule import Schedule
from trimtab.apply.steps.declare import Declare
from trimtab.apply.steps.delete import Delete
from trimtab.apply.steps.moves import Do, End, EntryOf, Move, Step, UnexpectedEvent, Write
from trimtab.apply.steps.orphan import Orphan
from trimtab.apply.steps.standing import Gone, Standing
from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.core.refs import ObjectRef
from trimtab.plan import changes as plan_changes
from trimtab.plan import order
from trimtab.plan.changes import Delete as DeleteChange
from trimtab.plan.changes import Forget, Held, Plan, Unchanged
from trimtab.plan.changes import Orphan as OrphanChange
from trimtab.plan.references import CUSTOM_RESOURCE_DEFINITION, is_kind


class ApplyRun:
    """One plan being carried out. `entry_of` makes an inventory entry from a manifest and the server's answer."""

    def __init__(self, plan: Plan, *, entry_of: EntryOf, in_flight: int = 32) -> None:
        self.plan = plan
        self.results: dict[ObjectRef, ObjectResult] = {}
        self.problems: list[Problem] = list(plan.refused)
        self._in_flight = in_flight
        self._changes = {change.ref: change for change in plan.changes}
        self._ledger = Ledger()
        self._cancelled = False
        self._requests: set[ObjectRef] = set()
        self._waits: set[ObjectRef] = set()
        self._writing: set[ObjectRef] = set()
        self._backlog: deque[tuple[ObjectRef, ObjectCommand | Retry]] = deque()
        self._outbox: list[Command] = []
        self._steps = _steps(plan, entry_of)
        self._intents = {ref: step.intent for ref, step in self._steps.items() if step.intent is not None}
        self._parked: deque[ObjectRef] = deque()
        self._schedule = Schedule(
            (ref for ref, step in self._steps.items() if not step.prunes),
            (ref for ref, step in self._steps.items() if step.prunes),
            plan.edges,
            late=order.last,
        )

    @property
    def done(self) -> bool:
        """Whether every object has its result and the inventory is written."""
        return len(self.results) == len(self._steps) and self._ledger.settled

    @property
    def blocked(self) -> dict[ObjectRef, ObjectRef]:
        """Objects that were not tried, each with the one in its way."""
        return {ref: result.behind for ref, result in self.results.items() if result.behind is not None}

    def start(self) -> list[Command]:
        """The first commands: the inventory's write-ahead, and what needs none."""
        for ref, intent in self._intents.items():
            self._ledger.require(ref, intent)
        return self._pump()

    def on(self, event: Event) -> list[Command]:
        """What to do after an event. Raises UnexpectedEvent where it answers no command."""
        flush = False
        match event:
            case Recorded():
                self._recorded()
            case RecordFailed():
                return [*self._record_failed(event), *self._pump()]
            case Tick():
                flush = True
            case _:
                self._answer(event)
        return self._pump(flush=flush)

    def cancel(self) -> list[Command]:
        """Start nothing more; what is out is still awaited, and what it did is recorded.

        Whoever carries commands out answers waits and delayed retries with `TimedOut` (a Record: `RecordFailed`).
        """
        self._cancelled = True
        # The steps of these have not begun, or stand between two commands: nothing of theirs is out.
        for ref in (*self._schedule.drop(), *self._parked, *(ref for ref, _ in self._backlog), *self._writing):
            self._conclude(ref, Ending.SUPERSEDED)
        self._parked.clear()
        self._backlog.clear()
        self._writing.clear()
        return self._pump()

    # --- events

    def _answer(self, event: ObjectEvent) -> None:
        ref = event.ref
        if ref not in self._requests and ref not in self._waits:
            raise UnexpectedEvent(f"{ref}: no command is out that {event} could answer")
        self._requests.discard(ref)
        self._waits.discard(ref)
        if self._cancelled and isinstance(event, TimedOut):
            self._conclude(ref, Ending.SUPERSEDED)
        else:
            self._move(ref, self._steps[ref].on(event))

    def _recorded(self) -> None:
        if not self._ledger.busy:
            raise UnexpectedEvent("no inventory write is out that Recorded could answer")
        for ref in sorted(self._ledger.recorded()):
            self._intents.pop(ref, None)
            if ref in self._writing:
                self._writing.discard(ref)
                self._move(ref, self._steps[ref].recorded())

    def _record_failed(self, event: RecordFailed) -> list[Command]:
        if not self._ledger.busy:
            raise UnexpectedEvent("no inventory write is out that RecordFailed could answer")
        outcome = self._ledger.failed(event, retry=not self._cancelled)
        if isinstance(outcome, Retry):
            return [outcome]
        problem = Problem(
            f"the inventory could not be written: {event.reason}",
            remedy="no object is touched before its entry is written; it is tried again",
            reason="InventoryFailed",
            retry=True,
        )
        self.problems.append(problem)
        self._parked = deque(ref for ref in self._parked if ref not in outcome)
        self._writing -= outcome
        for ref in (ref for ref in self._steps if ref in outcome):
            if ref not in self.results:
                self._finish(ref, End(Ending.FAILED, replace(problem, ref=ref, origin=_origin(self._changes[ref]))))
        return []

    # --- moves

    def _move(self, ref: ObjectRef, move: Move) -> None:
        if isinstance(move, Do) and move.change is not None:
            self._ledger.put(ref, move.change.entry)
        if isinstance(move, End):
            self._finish(ref, move)
        elif self._cancelled:
            self._conclude(ref, Ending.SUPERSEDED)
        elif isinstance(move, Write):
            self._writing.add(ref)
            self._ledger.require(ref, move.entry)
        elif _is_wait(move.command):
            self._waits.add(ref)
            self._outbox.append(move.command)
        else:
            self._backlog.append((ref, move.command))

    def _finish(self, ref: ObjectRef, end: End) -> None:
        if end.change is not None:
            self._ledger.put(ref, end.change.entry)
        self._conclude(ref, end.ending, end.problem)
        # A teardown must not hang on finalizers: what is on its way out counts as gone to what comes after.
        if end.ending is Ending.DONE or (self.plan.teardown and end.ending is Ending.TERMINATING):
            self._schedule.succeeded(ref)
            return
        retry = end.problem is None or end.problem.retry
        for blocked, behind in self._schedule.failed(ref):
            problem = Problem(
                f"not tried, because it waits for {behind}",
                ref=blocked,
                origin=_origin(self._changes[blocked]),
                reason="Blocked",
                retry=retry,
            )
            self._conclude(blocked, Ending.BLOCKED, problem, behind=behind)

    def _conclude(
        self, ref: ObjectRef, ending: Ending, problem: Problem | None = None, *, behind: ObjectRef | None = None
    ) -> None:
        self.results[ref] = ObjectResult(ref, self._steps[ref].operation, ending, problem, behind)
        if problem is not None:
            self.problems.append(problem)

    # --- what goes out

    def _pump(self, *, flush: bool = False) -> list[Command]:
        """Everything that may go out now: an inventory write, waits, and requests as far as the limit allows."""
        while len(self._requests) < self._in_flight:
            if self._backlog:
                ref, command = self._backlog.popleft()
                self._requests.add(ref)
                self._outbox.append(command)
            elif (startable := self._startable()) is not None:
                self._move(startable, self._steps[startable].begin())
            else:
                break
        commands, self._outbox = self._outbox, []
        record = self._ledger.take(flush=flush or len(self.results) == len(self._steps))
        return [record, *commands] if record is not None else commands

    def _startable(self) -> ObjectRef | None:
        """The next step that may begin: everything it waits for succeeded, and its intent is on record."""
        if self._parked and self._parked[0] not in self._intents:
            return self._parked.popleft()
        while (ref := self._schedule.pop()) is not None:
            if ref not in self._intents:
                return ref
            self._parked.append(ref)
        return None


def _is_wait(command: ObjectCommand | Retry) -> bool:
    """Waits are no requests: they may last, and must not keep others from going out."""
    inner = command.command if isinstance(command, Retry) else command
    return isinstance(inner, AwaitGone | AwaitEstablished)


def _origin(change: plan_changes.Change) -> Origin | None:
    return None if isinstance(change, DeleteChange | OrphanChange | Forget) else change.manifest.origin


def _steps(plan: Plan, entry_of: EntryOf) -> dict[ObjectRef, Step]:
    depended_on = {other for waits in set(plan.edges.values()) for other in waits}
    steps: dict[ObjectRef, Step] = {}
    for change in plan.changes:
        ref = change.ref
        serving = ref in depended_on and is_kind(ref, CUSTOM_RESOURCE_DEFINITION)
        match change:
            case Unchanged() | Held():
                steps[ref] = Standing(change, serving=serving)
            case Forget():
                steps[ref] = Gone(change)
            case DeleteChange():
                steps[ref] = Delete(change, plan.options)
            case OrphanChange():
                steps[ref] = Orphan(change, plan.options, leaving=plan.teardown)
            case _:
                patient = ref in plan.edges
                steps[ref] = Declare(change, plan.options, entry_of=entry_of, serving=serving, patient=patient)
    return steps
