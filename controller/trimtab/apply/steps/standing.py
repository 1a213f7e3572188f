"""Changes that need no write: unchanged and held objects, and entries of what is gone already."""

from trimtab.apply.commands import AwaitEstablished
from trimtab.apply.events import Established, ObjectEvent, Refused, TimedOut
from trimtab.apply.remedy import explain
from trimtab.apply.results import Ending, Operation
from trimtab.apply.steps.moves import Change, Do, End, Move, UnexpectedEvent
from trimtab.core.errors import Problem
from trimtab.core.inventory import Entry
from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef
from trimtab.plan.changes import Forget, Held, Unchanged


class Standing:
    """An object that stays as it is. `serving`: something waits for the kinds that it defines to be served."""

    operation = Operation.NONE
    intent: Entry | None = None
    prunes = False

    def __init__(self, change: Unchanged | Held, *, serving: bool) -> None:
        self.ref: ObjectRef = change.ref
        self._manifest = change.manifest
        self._serving = serving

    def begin(self) -> Move:
        """Over at once, but for a definition whose kinds are needed."""
        return Do(AwaitEstablished(self.ref)) if self._serving else End(Ending.DONE)

    def recorded(self) -> Move:
        """Never asked for."""
        raise UnexpectedEvent(f"{self.ref}: nothing was to be recorded")

    def on(self, event: ObjectEvent) -> Move:
        """The wait's end."""
        return established(self._manifest, event)


class Gone:
    """An object that is gone already: its entry goes."""

    operation = Operation.FORGET
    intent: Entry | None = None
    prunes = True

    def __init__(self, change: Forget) -> None:
        self.ref: ObjectRef = change.ref

    def begin(self) -> Move:
        """Over at once."""
        return End(Ending.DONE, change=Change(None))

    def recorded(self) -> Move:
        """Never asked for."""
        raise UnexpectedEvent(f"{self.ref}: nothing was to be recorded")

    def on(self, event: ObjectEvent) -> Move:
        """Never asked for."""
        raise UnexpectedEvent(f"{self.ref}: {event}")


def established(manifest: Manifest, event: ObjectEvent) -> End:
    """The end of a wait for a definition's kinds."""
    match event:
        case Established():
            return End(Ending.DONE)
        case Refused(error=error):
            return End(Ending.FAILED, explain(error, manifest.ref, manifest=manifest, verb="serve its kinds"))
        case TimedOut():
            problem = Problem(
                "was applied, but its kinds are still not served",
                ref=manifest.ref,
                origin=manifest.origin,
                remedy="see its conditions NamesAccepted and Established; it is looked at again",
                reason="NotEstablished",
                retry=True,
            )
            return End(Ending.FAILED, problem)
        case _:
            raise UnexpectedEvent(f"{manifest.ref}: {event} while its kinds were awaited")
