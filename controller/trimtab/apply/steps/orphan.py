"""One object's way out of our hands: our marks come off, the object stays.

Marks that cannot be taken off keep the object tracked, except where the Application itself goes: letting go must not
hang on that.
"""

from trimtab.apply.commands import Get, ObjectCommand, Retry, Unmark
from trimtab.apply.events import Gone, Got, ObjectEvent, Refused, TimedOut, Unmarked
from trimtab.apply.remedy import explain, wrong_uid
from trimtab.apply.results import Ending, Operation
from trimtab.apply.retry import Tries
from trimtab.apply.steps.moves import Change, Do, End, Move, UnexpectedEvent
from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem
from trimtab.core.inventory import Applied, Entry
from trimtab.core.observed import Absent, Live, Unknown
from trimtab.core.refs import ObjectRef
from trimtab.plan.changes import Orphan as OrphanChange
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import proven


class Orphan:
    """The step of an object that is let go. `leaving`: the Application goes as well."""

    operation = Operation.ORPHAN
    intent: Entry | None = None
    prunes = True

    def __init__(self, change: OrphanChange, options: PlanOptions, *, leaving: bool) -> None:
        self.ref: ObjectRef = change.ref
        self._change = change
        self._options = options
        self._leaving = leaving
        self._tries = Tries(self.ref.key)
        version, entry = change.entry.version, change.entry
        # Without a UID in the inventory the object has to be looked at: it may be somebody else's.
        self._command: ObjectCommand = (
            Unmark(self.ref, version, entry.uid) if isinstance(entry, Applied) else Get(self.ref, version)
        )

    def begin(self) -> Move:
        """Unmark, or just let go."""
        return Do(self._command) if self._change.unmark else self._released()

    def recorded(self) -> Move:
        """Never asked for."""
        raise UnexpectedEvent(f"{self.ref}: nothing was to be recorded")

    def on(self, event: ObjectEvent) -> Move:
        """The next move."""
        match event:
            case Unmarked() | Gone() | Got(observed=Absent()):
                return self._released()
            case Got(observed=Live() as live):
                if not proven(live.body, self._options.owner):
                    return self._released()
                self._command = Unmark(self.ref, self._change.entry.version, live.uid)
                return Do(self._command)
            case Got(observed=Unknown(reason=reason)):
                return self._again(ApiError(0, "Unknown", reason))
            case Refused(error=error) if error.not_found or (isinstance(self._command, Unmark) and wrong_uid(error)):
                # Another object has taken the name: it carries no mark that we put there.
                return self._released()
            case Refused(error=error):
                return self._again(error)
            case TimedOut():
                return End(Ending.FAILED, Problem("was given up", ref=self.ref, reason="TimedOut", retry=True))
            case _:
                raise UnexpectedEvent(f"{self.ref}: {event} while letting go")

    def _again(self, error: ApiError) -> Move:
        delay = self._tries.delay_seconds(error)
        if delay is not None:
            return Do(Retry(self._command, delay))
        problem = explain(error, self.ref, verb="unmark")
        return End(Ending.FAILED, problem, Change(None) if self._leaving else None)

    def _released(self) -> End:
        return End(Ending.DONE, change=Change(None))
