"""Carries out an apply run's commands against the simulated API server, in any order, with faults and crashes.

It stands for the loop: inventory and cluster survive a crash, the run and everything in flight do not.
"""

from collections.abc import Callable, Mapping
from random import Random

from tests.fakes.api_server import ApiServer

from trimtab.apply.commands import (
    Apply,
    AwaitEstablished,
    AwaitGone,
    Claim,
    Command,
    Get,
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
    TimedOut,
    Unmarked,
)
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Entry
from trimtab.core.observed import Live
from trimtab.core.refs import ObjectRef
from trimtab.plan.ownership import unmark_patch

WAITS = (AwaitGone, AwaitEstablished)


class Crash(Exception):
    """The process was killed."""


class Driver:
    """One process' interpreter. `on_step` is called after each step, with the run, for invariants."""

    def __init__(
        self,
        server: ApiServer,
        inventory: dict[ObjectRef, Entry],
        random: Random,
        *,
        fault_rate: float = 0.0,
        crash_after_steps: int | None = None,
        cancel_after_steps: int | None = None,
        meddle: Callable[[], None] = lambda: None,
        on_step: Callable[["Driver", ApplyRun], None] = lambda driver, run: None,
    ) -> None:
        self.server = server
        self.inventory = inventory
        self.outstanding: list[Command] = []
        self.log: list[Command] = []
        self._random = random
        self._fault_rate = fault_rate
        self._crash_after_steps = crash_after_steps
        self._cancel_after_steps = cancel_after_steps
        self._meddle = meddle
        self._on_step = on_step

    def run(self, run: ApplyRun, *, max_steps: int = 20_000) -> None:
        """Until the run is done. Raises Crash at the step asked for, after some of what was in flight took effect."""
        self._issue(run.start())
        for step in range(max_steps):
            self._on_step(self, run)
            if run.done:
                assert not self.outstanding
                return
            if step == self._crash_after_steps:
                self._crash()
            if step == self._cancel_after_steps:
                self._issue(run.cancel())
                self._cut_waits(run)
                continue
            self._meddle()
            command = self.outstanding.pop(self._random.randrange(len(self.outstanding)))
            self._issue(run.on(self.perform(command)))
        raise AssertionError(f"no end after {max_steps} steps; out: {self.outstanding}")

    @property
    def requests(self) -> int:
        """How many requests are out, the inventory's aside."""
        return sum(
            not isinstance(command.command if isinstance(command, Retry) else command, (*WAITS, Record))
            for command in self.outstanding
        )

    def perform(self, command: Command) -> Event:
        """Carry one command out, or fail to."""
        if isinstance(command, Retry):
            command = command.command
        fault = self._random.random() < self._fault_rate
        if isinstance(command, Record):
            return self._record(command.entries, fault=fault)
        if fault and self._random.random() < 0.5:
            return Refused(command.ref, ApiError(503, "ServiceUnavailable", "try again"))
        try:
            event = self._effect(command)
        except ApiError as error:
            return Refused(command.ref, error)
        if fault:
            # It took effect, but the answer was lost.
            return Refused(command.ref, ApiError(0, "", "connection reset"))
        return event

    def _effect(self, command: Command) -> Event:
        match command:
            case Apply():
                return Answered(command.ref, self.server.apply(command.body))
            case Get(ref=ref):
                return Got(ref, self.server.get(ref))
            case Claim(ref=ref, managed_fields=managed_fields, resource_version=resource_version):
                return Claimed(ref, self.server.claim(ref, managed_fields, resource_version))
            case Remove(ref=ref, uid=uid, resource_version=version):
                return Gone(ref) if self.server.delete(ref, uid=uid, resource_version=version) else Removed(ref)
            case Unmark(ref=ref, uid=uid):
                self.server.unmark(ref, unmark_patch(uid))
                return Unmarked(ref)
            case AwaitGone(ref=ref, uid=uid):
                if self._random.random() < 0.7:
                    self.server.settle()
                live = self.server.get(ref)
                return TimedOut(ref) if isinstance(live, Live) and live.uid == uid else Gone(ref)
            case AwaitEstablished(ref=ref):
                if self._random.random() < 0.9:
                    self.server.settle()
                    return Established(ref) if ref in self.server.objects else TimedOut(ref)
                return TimedOut(ref)
            case _:
                raise AssertionError(command)

    def _record(self, entries: Mapping[ObjectRef, Entry | None], *, fault: bool) -> Event:
        if fault and self._random.random() < 0.5:
            return RecordFailed("etcd is slow")
        for ref, entry in entries.items():
            if entry is None:
                self.inventory.pop(ref, None)
            else:
                self.inventory[ref] = entry
        return RecordFailed("the answer was lost") if fault else Recorded(frozenset(entries))

    def _crash(self) -> None:
        self._random.shuffle(self.outstanding)
        for command in self.outstanding:
            if self._random.random() < 0.5:
                self.perform(command)
        raise Crash

    def _cut_waits(self, run: ApplyRun) -> None:
        """What the loop does after a cancellation."""
        cut = [command for command in self.outstanding if isinstance(command, (Retry, *WAITS))]
        for command in cut:
            self.outstanding.remove(command)
            inner = command.command if isinstance(command, Retry) else command
            answer: Event = RecordFailed("cancelled") if isinstance(inner, Record) else TimedOut(inner.ref)
            self._issue(run.on(answer))

    def _issue(self, commands: list[Command]) -> None:
        self.outstanding += commands
        self.log += commands
