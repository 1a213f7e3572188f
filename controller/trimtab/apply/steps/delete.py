"""One pruned object's way out of the cluster.

Deleted is only what is provably ours: the very UID that the inventory holds as Applied, or, where it holds no UID or
another one, a live object that names us and has our Apply entry. Every delete carries the UID, and the resourceVersion
where the proof is something that was just read. The entry goes when the object is gone, and not before: whatever
happens in between, the next plan finds it and goes on.
"""

from enum import Enum, auto
from typing import Final

from trimtab.apply.commands import AwaitGone, Get, ObjectCommand, Remove, Retry, Unmark
from trimtab.apply.events import Gone, Got, ObjectEvent, Refused, Removed, TimedOut, Unmarked
from trimtab.apply.remedy import explain, wrong_uid
from trimtab.apply.results import Ending, Operation
from trimtab.apply.retry import Tries
from trimtab.apply.steps.moves import Change, Do, End, Move, UnexpectedEvent
from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem
from trimtab.core.inventory import Applied, Entry
from trimtab.core.observed import Absent, Live, Unknown
from trimtab.core.refs import ObjectRef
from trimtab.plan.changes import Delete as DeleteChange
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import held_by_other, proven, stays

LOOKS: Final = 5
"""How often an object is looked at anew before its endless changes count as a failure."""


class _At(Enum):
    LOOKING = auto()
    REMOVING = auto()
    LEAVING = auto()
    UNMARKING = auto()


class Delete:
    """The step of an object that left Git."""

    intent: Entry | None = None
    prunes = True

    def __init__(self, change: DeleteChange, options: PlanOptions) -> None:
        self.ref: ObjectRef = change.ref
        self.operation = Operation.DELETE
        self._entry = change.entry
        self._verify = change.verify
        self._options = options
        self._version = change.entry.version
        self._uid = ""
        self._at = _At.LOOKING
        self._command: ObjectCommand = Get(self.ref, self._version)
        self._tries = Tries(self.ref.key)
        self._looks = 0

    def begin(self) -> Move:
        """Delete at once what the inventory proves ours, look at everything else."""
        if self._verify or not isinstance(self._entry, Applied):
            return self._look()
        return self._remove(self._entry.uid, None)

    def recorded(self) -> Move:
        """Never asked for."""
        raise UnexpectedEvent(f"{self.ref}: nothing was to be recorded")

    def on(self, event: ObjectEvent) -> Move:
        """The next move, by where it stands and what came."""
        match (self._at, event):
            case (_At.LOOKING, Got(observed=Live() as live)):
                return self._seen(live)
            case (_At.LOOKING, Got(observed=Absent())) | (_, Gone()):
                return self._released()
            case (_At.LOOKING, Got(observed=Unknown(reason=reason))):
                return self._again(ApiError(0, "Unknown", reason), "read")
            case (_At.REMOVING, Removed()):
                self._at = _At.LEAVING
                return self._do(AwaitGone(self.ref, self._version, self._uid))
            case (_At.REMOVING | _At.UNMARKING, Refused(error=error)) if wrong_uid(error):
                return self._look()
            case (_At.UNMARKING, Unmarked()):
                return self._released()
            case (_At.LEAVING, TimedOut()):
                return self._terminating()
            case (_, Refused(error=error)):
                return self._again(error, "delete")
            case (_, TimedOut()):
                return End(Ending.FAILED, self._problem("was given up", "TimedOut", "it is tried again"))
            case _:
                raise UnexpectedEvent(f"{self.ref}: {event} while {self._at.name.lower()}")

    def _seen(self, live: Live) -> Move:
        same = isinstance(self._entry, Applied) and self._entry.uid == live.uid
        if held_by_other(live.body, self._options.owner) or not (same or proven(live.body, self._options.owner)):
            # Not ours (any more): it stays, and nothing of it is touched.
            self.operation = Operation.ORPHAN
            return self._released()
        if stays(live.body):
            self.operation = Operation.ORPHAN
            self._at = _At.UNMARKING
            return self._do(Unmark(self.ref, self._version, live.uid))
        return self._remove(live.uid, live.resource_version)

    def _look(self) -> Move:
        self._looks += 1
        if self._looks > LOOKS:
            problem = self._problem("changes under every attempt to delete it", "Conflict", "find out who writes it")
            return End(Ending.FAILED, problem)
        self._at = _At.LOOKING
        return self._do(Get(self.ref, self._version))

    def _remove(self, uid: str, resource_version: str | None) -> Move:
        self._at, self._uid = _At.REMOVING, uid
        return self._do(Remove(self.ref, self._version, uid, resource_version))

    def _do(self, command: ObjectCommand) -> Do:
        self._command = command
        return Do(command)

    def _again(self, error: ApiError, verb: str) -> Move:
        delay = self._tries.delay_seconds(error)
        if delay is not None:
            return Do(Retry(self._command, delay))
        return End(Ending.FAILED, explain(error, self.ref, verb=verb))

    def _released(self) -> End:
        return End(Ending.DONE, change=Change(None))

    def _terminating(self) -> End:
        remedy = "see its finalizers and the controller that should remove them"
        return End(Ending.TERMINATING, self._problem("is still being deleted", "Terminating", remedy))

    def _problem(self, message: str, reason: str, remedy: str) -> Problem:
        return Problem(message, ref=self.ref, remedy=remedy, reason=reason, retry=True)
