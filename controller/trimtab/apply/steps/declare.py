"""One declared object's way into the cluster: create, update, adopt, recreate.

The usual way is one `Apply`. All else is a detour that a refusal forces, each taken a bounded number of times:

- 409 under a UID precondition, or a lost Claim: look, decide anew by the plan's own ladder, go on from there.
- 422 on an object that exists: look, claim the fields that stand in the way, apply again, a little wider each time.
  Nothing but immutable fields, ours, and `trimtab.dev/force: "true"`: delete it, wait until it is gone, create it.
- anything transient: again after a while.

What keeps a kill -9 at any point harmless: an apply carries the UID that the inventory holds as Applied, or else an
Intended entry is on record before it. So whatever we made or took is always Intended, or Applied with its UID.
"""

from enum import Enum, auto
from typing import Any, Final

from trimtab.apply.commands import Apply, AwaitEstablished, AwaitGone, Claim, Get, ObjectCommand, Remove, Retry
from trimtab.apply.events import Answered, Claimed, Got, ObjectEvent, Refused, Removed, TimedOut
from trimtab.apply.events import Gone as GoneEvent
from trimtab.apply.remedy import explain, wrong_uid
from trimtab.apply.results import Ending, Operation
from trimtab.apply.retry import Tries
from trimtab.apply.steps.mending import Mending
from trimtab.apply.steps.moves import Change, Do, End, EntryOf, Move, UnexpectedEvent, Write
from trimtab.apply.steps.standing import established
from trimtab.core.api_error import ApiError
from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.inventory import Applied, Entry, Intended
from trimtab.core.observed import Absent, Live, Unknown
from trimtab.core.refs import split_api_version
from trimtab.plan.changes import Adopt, Create, Recreate, Update
from trimtab.plan.claim import claim_for_adoption
from trimtab.plan.decide import decide
from trimtab.plan.handover import before_revision
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import proven
from trimtab.plan.references import CUSTOM_RESOURCE_DEFINITION, is_kind
from trimtab.plan.sight import sight_of

LOOKS: Final = 8
"""How often an object is looked at anew before its endless changes count as a failure."""


class _At(Enum):
    APPLYING = auto()
    LOOKING = auto()
    LOOKING_AFTER_INVALID = auto()
    CLAIMING = auto()
    CLAIMING_AFTER_INVALID = auto()
    REMOVING = auto()
    LEAVING = auto()
    ESTABLISHING = auto()


class Declare:
    """The step of a declared object that is to be applied.

    `serving`: something waits for the kinds that it defines. `patient`: it waited for its Namespace or definition, so
    that a 404 right after is a matter of time.
    """

    prunes = False

    def __init__(
        self,
        change: Create | Update | Adopt | Recreate,
        options: PlanOptions,
        *,
        entry_of: EntryOf,
        serving: bool = False,
        patient: bool = False,
    ) -> None:
        self.manifest = change.manifest
        self.ref = change.ref
        self.operation = _OPERATIONS[type(change)]
        self._change = change
        self._options = options
        self._entry_of = entry_of
        self._entry = change.entry
        self._serving = serving
        self._patient = patient
        self._version = split_api_version(self.manifest.api_version)[1]
        self._uid = ""
        self._at = _At.APPLYING
        self._command: ObjectCommand = Apply(self.manifest)
        self._after_record: Move | None = None
        self._tries = Tries(self.ref.key)
        self._looks = 0
        self._mending = Mending(change.manifest)

    @property
    def intent(self) -> Entry | None:
        """Intended, unless that, or Applied with the very UID that the apply will insist on, is on record."""
        uid = self._change.live_uid if isinstance(self._change, Update) else ""
        return None if self._covered(uid) else Intended(self._version)

    def begin(self) -> Move:
        """Apply, or look first at what is to be adopted, or remove what is to be recreated."""
        self._entry = self.intent or self._entry
        match self._change:
            case Update(look=True):
                return self._look(_At.LOOKING)
            case Update(live_uid=uid):
                return self._apply(uid)
            case Adopt(live=live) if live.body["metadata"].get("managedFields"):
                return self._claim(claim_for_adoption(live.body, self.manifest.body), live)
            case Adopt():
                return self._look(_At.LOOKING)
            case Recreate(uid=uid):
                return self._remove(uid)
            case Create():
                return self._apply("")

    def recorded(self) -> Move:
        """Go on with what the written entry allows."""
        move, self._after_record = self._after_record, None
        if move is None:
            raise UnexpectedEvent(f"{self.ref}: nothing was to be recorded")
        return move

    def on(self, event: ObjectEvent) -> Move:
        """The next move, by where it stands and what came."""
        match self._at:
            case _At.ESTABLISHING:
                return established(self.manifest, event)
            case _At.LEAVING if isinstance(event, TimedOut):
                return self._fail("is still being deleted to be created anew", "Terminating", "see its finalizers")
            case _ if isinstance(event, TimedOut):
                return self._fail("was given up", "TimedOut", "it is tried again")
            case _At.APPLYING:
                return self._on_apply(event)
            case _At.LOOKING | _At.LOOKING_AFTER_INVALID:
                return self._on_look(event)
            case _At.CLAIMING | _At.CLAIMING_AFTER_INVALID:
                return self._on_claim(event)
            case _At.REMOVING | _At.LEAVING:
                return self._on_removal(event)

    def _on_apply(self, event: ObjectEvent) -> Move:
        match event:
            case Answered(body=body):
                return self._applied(body)
            case Refused(error=error):
                return self._apply_refused(error)
            case _:
                raise self._unexpected(event)

    def _on_look(self, event: ObjectEvent) -> Move:
        match event:
            case Got(observed=Live() as live):
                return self._seen(live)
            case Got(observed=Absent()):
                return self._seen_absent()
            case Got(observed=Unknown(reason=reason)):
                return self._again(ApiError(0, "Unknown", reason), "read")
            case Refused(error=error):
                return self._again(error, "read")
            case _:
                raise self._unexpected(event)

    def _on_claim(self, event: ObjectEvent) -> Move:
        match event:
            case Claimed():
                return self._apply(self._uid)
            case Refused(error=error):
                return self._claim_refused(error)
            case _:
                raise self._unexpected(event)

    def _on_removal(self, event: ObjectEvent) -> Move:
        match event:
            case GoneEvent():
                return self._apply("")
            case Removed() if self._at is _At.REMOVING:
                self._at = _At.LEAVING
                return self._do(AwaitGone(self.ref, self._version, self._uid))
            case Refused(error=error) if self._at is _At.REMOVING and wrong_uid(error):
                return self._look(_At.LOOKING)
            case Refused(error=error):
                return self._again(error, "delete and recreate")
            case _:
                raise self._unexpected(event)

    def _unexpected(self, event: ObjectEvent) -> UnexpectedEvent:
        return UnexpectedEvent(f"{self.ref}: {event} while {self._at.name.lower()}")

    # --- applying

    def _apply(self, uid: str) -> Move:
        """Apply under the UID."""
        self._at, self._uid = _At.APPLYING, uid
        return self._recorded_first(self._do(Apply(self.manifest, uid)), uid)

    def _recorded_first(self, move: Do, uid: str) -> Move:
        """The move; where the inventory does not cover the object that it makes or takes, Intended is written first."""
        if self._covered(uid):
            return move
        self._entry, self._after_record = Intended(self._version), move
        return Write(self._entry)

    def _covered(self, uid: str) -> bool:
        entry = self._entry
        return isinstance(entry, Intended) or (isinstance(entry, Applied) and bool(uid) and entry.uid == uid)

    def _applied(self, body: dict[str, Any]) -> Move:
        self._entry = self._entry_of(self.manifest, body)
        if self._serving and is_kind(self.ref, CUSTOM_RESOURCE_DEFINITION):
            self._at = _At.ESTABLISHING
            return Do(AwaitEstablished(self.ref), Change(self._entry))
        return End(Ending.DONE, change=Change(self._entry))

    def _apply_refused(self, error: ApiError) -> Move:
        if error.untypable:
            return self._refuse(error)
        if self._uid and wrong_uid(error):
            return self._look(_At.LOOKING)
        if self._mending.worth_a_look(error):
            return self._look(_At.LOOKING_AFTER_INVALID)
        if error.not_found and self._patient and (delay := self._tries.next_seconds()) is not None:
            return Do(Retry(self._command, delay))
        return self._again(error, "apply")

    # --- looking

    def _look(self, why: _At) -> Move:
        self._looks += 1
        if self._looks > LOOKS:
            return self._embattled()
        self._at = why
        return self._do(Get(self.ref, self._version))

    def _seen(self, live: Live) -> Move:
        """Decide anew, as the plan would have with this sight, and go on from there."""
        sight = sight_of(live, self._options.owner, baseline="")
        try:
            decision = decide(self.manifest, self._entry, sight, self._options)
        except PlanRefused as refusal:
            return End(Ending.FAILED, refusal.problems[0])
        if decision is None:
            return End(Ending.DONE, change=Change(None))
        if self._at is _At.LOOKING_AFTER_INVALID:
            return self._mend(live)
        if isinstance(decision, Adopt):
            self.operation = Operation.ADOPT
            return self._claim(claim_for_adoption(live.body, self.manifest.body), live)
        if live.uid == self._uid:
            # The precondition held after all: some other conflict, which passes.
            delay = self._tries.next_seconds()
            self._at = _At.APPLYING
            return self._embattled() if delay is None else self._retry(Apply(self.manifest, live.uid), delay)
        previous = self._change.previous if isinstance(self._change, Update) else None
        return self._claim(before_revision(live.body, self.manifest, previous), live)

    def _seen_absent(self) -> Move:
        # A refused creation has no live object to be mended; an object that vanished since is created.
        if self._at is _At.LOOKING_AFTER_INVALID and self._mending.error is not None and not self._uid:
            return self._refuse(self._mending.error)
        self.operation = Operation.CREATE
        return self._apply("")

    # --- taking over

    def _mend(self, live: Live) -> Move:
        error = self._mending.error
        assert error is not None
        managed_fields = self._mending.claim(live)
        if managed_fields is not None:
            return self._claim(managed_fields, live)
        if self._mending.wants_recreation(error) and self._ours(live):
            self._mending.recreated()
            self.operation = Operation.RECREATE
            return self._remove(live.uid)
        return self._refuse(error)

    def _claim(self, managed_fields: list[dict[str, Any]] | None, live: Live) -> Move:
        """Claim, where there is something to claim, then apply to the object that was seen."""
        if managed_fields is None:
            return self._apply(live.uid)
        self._uid = live.uid
        self._at = _At.CLAIMING if self._at is not _At.LOOKING_AFTER_INVALID else _At.CLAIMING_AFTER_INVALID
        # With a claim the object gets our Apply entry, which together with copied marks proves it ours.
        claim = Claim(self.ref, self._version, managed_fields, live.resource_version)
        return self._recorded_first(self._do(claim), live.uid)

    def _claim_refused(self, error: ApiError) -> Move:
        if not (error.conflict or error.not_found):
            return self._again(error, "take over")
        if self._at is _At.CLAIMING:
            self._uid = ""
            return self._look(_At.LOOKING)
        self._mending.unclaimed()
        return self._look(_At.LOOKING_AFTER_INVALID)

    def _ours(self, live: Live) -> bool:
        """Whether the object may be deleted to be created anew: not where this very run takes it over."""
        if self.operation is Operation.ADOPT:
            return False
        known = isinstance(self._entry, Applied) and self._entry.uid == live.uid
        return known or proven(live.body, self._options.owner)

    def _remove(self, uid: str) -> Move:
        self._at, self._uid = _At.REMOVING, uid
        return self._do(Remove(self.ref, self._version, uid))

    # --- ends and retries

    def _do(self, command: ObjectCommand) -> Do:
        self._command = command
        return Do(command)

    def _retry(self, command: ObjectCommand, delay_seconds: float) -> Do:
        self._command = command
        return Do(Retry(command, delay_seconds))

    def _again(self, error: ApiError, verb: str) -> Move:
        delay = self._tries.delay_seconds(error)
        if delay is not None:
            return self._retry(self._command, delay)
        return End(Ending.FAILED, explain(error, self.ref, manifest=self.manifest, verb=verb))

    def _refuse(self, error: ApiError) -> End:
        return End(Ending.FAILED, explain(error, self.ref, manifest=self.manifest, verb="apply"))

    def _embattled(self) -> End:
        return self._fail("changes under every attempt to apply it", "Conflict", "find out who else writes it")

    def _fail(self, message: str, reason: str, remedy: str) -> End:
        problem = Problem(message, ref=self.ref, origin=self.manifest.origin, remedy=remedy, reason=reason, retry=True)
        return End(Ending.FAILED, problem)


_OPERATIONS: Final = {
    Create: Operation.CREATE,
    Update: Operation.UPDATE,
    Adopt: Operation.ADOPT,
    Recreate: Operation.RECREATE,
}
