"""Drift told apart from harmless change, recorded, and met as the Application asks.

The synchroniser hands in objects under suspicion with their state before and the server's answer after; the ledger,
Events and metrics get the verdicts.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from trimtab.api.application import DriftMode
from trimtab.core.api_error import ApiError
from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef
from trimtab.drift.compare import FieldDrift, differences, differences_from_manifest, gone
from trimtab.drift.fights import Fights
from trimtab.plan.changes import Adopt, Change, Create, Held, Plan, Update
from trimtab.plan.claim import causes_of
from trimtab.plan.decide import drift_mode
from trimtab.reconcile.observer import Observer, watched
from trimtab.reconcile.parallel import gather_bounded
from trimtab.reconcile.ports import Clock, Metrics, Objects
from trimtab.reconcile.state import AppState, Fought
from trimtab.report.drift_items import DriftRecord

IN_FLIGHT = 16
ASK_AGAIN_SECONDS = 10.0
"""Where the server does not answer a dry run, it is asked again after so long."""
LOOK_AGAIN_SECONDS = 30.0
"""What drifts without the label that the watches select on is read again after so long: they do not show it."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An object that is not as we left it: its state before anything was done (None: gone), and when it was seen."""

    manifest: Manifest
    live: dict[str, Any] | None
    held: bool
    seen: float


@dataclass(frozen=True, slots=True)
class _Shown:
    """The answer of a dry run, kept while an object drifts: the digest cannot see that drift ends.

    None where the server would refuse to put it right, so that what Git says is all there is to compare with.
    """

    digest: str
    answer: dict[str, Any] | None


class DriftDesk:
    """Judges suspects of all Applications."""

    def __init__(self, objects: Objects, observer: Observer, clock: Clock, metrics: Metrics) -> None:
        self._objects = objects
        self._observer = observer
        self._clock = clock
        self._metrics = metrics
        self._fights: dict[ObjectRef, Fights] = {}
        self._shown: dict[ObjectRef, _Shown] = {}

    async def judge_held(
        self,
        state: AppState,
        plan: Plan,
        suspects: Mapping[ObjectRef, Suspect],
        digests: Mapping[ObjectRef, str],
        *,
        waiting: Collection[ObjectRef] = (),
    ) -> tuple[Plan, dict[ObjectRef, float]]:
        """Record the drift of what is only reported; what turns out not to have drifted is applied to own it again.

        So is the drift of what is `waiting` for its turn in a fight, but nothing is applied before that. Second comes
        what the server would not tell, and after how many seconds to ask again.
        """
        held = []
        for ref, suspect in suspects.items():
            if ref in waiting or (suspect.held and drift_mode(suspect.manifest, plan.options) is DriftMode.REPORT):
                held.append(suspect)
            elif suspect.held:
                state.drift.settle(ref)
        verdicts = await gather_bounded(
            [partial(self._verdict, each, digests[each.manifest.ref], each.manifest.ref in waiting) for each in held],
            IN_FLIGHT,
        )
        equal, open_questions = set(), {}
        for suspect, found in zip(held, verdicts, strict=True):
            ref = suspect.manifest.ref
            if found is None:
                open_questions[ref] = ASK_AGAIN_SECONDS
                continue
            if suspect.live is not None and not watched(suspect.live) and ref not in waiting:
                open_questions[ref] = LOOK_AGAIN_SECONDS
            if ref in waiting and state.drift.fields_of(ref) == {drift.path_text for drift in found}:
                continue  # told once: the rival's next values are no news
            fresh = state.drift.stands(ref, found, now=self._clock.now())
            self._metrics.drift_detected(state.owner.namespace, state.owner.name, len(fresh))
            state.news += fresh
            if not found and suspect.live is not None and ref not in waiting:
                equal.add(ref)
        changes = tuple(_own_again(change, equal, suspects) for change in plan.changes)
        return replace(plan, changes=changes), open_questions

    async def _verdict(self, suspect: Suspect, digest: str, fought: bool) -> tuple[FieldDrift, ...] | None:
        """The drifted fields, none if it is as declared; None where the server would not tell.

        The answer of a `fought` object is kept though it is as declared: it will not be for long.
        """
        ref = suspect.manifest.ref
        if suspect.live is None:
            self._shown.pop(ref, None)
            return (gone(suspect.manifest.body),)
        shown = self._shown.get(ref)
        if shown is None or shown.digest != digest:
            try:
                shown = _Shown(digest, await self._objects.apply(suspect.manifest.body, dry_run=True))
            except ApiError as error:
                if error.transient and not causes_of(error):
                    return None
                shown = _Shown(digest, None)
        if shown.answer is None:
            found = differences_from_manifest(suspect.manifest.body, suspect.live)
        else:
            found = differences(shown.answer, suspect.live)
        if found or fought:
            self._shown[ref] = shown
        else:
            self._shown.pop(ref, None)
        return found

    def give_way(self, plan: Plan, suspects: Mapping[ObjectRef, Suspect]) -> tuple[Plan, dict[ObjectRef, float]]:
        """Leave out objects over which somebody fights with us until their time has come; how long each still waits."""
        waits = {
            ref: wait
            for ref, suspect in suspects.items()
            if not suspect.held
            and ref in self._fights
            and (wait := self._fights[ref].wait_seconds(now=self._clock.monotonic())) > 0
        }
        if not waits:
            return plan, {}
        changes = tuple(
            Held(change.manifest) if change.ref in waits and isinstance(change, Create | Update | Adopt) else change
            for change in plan.changes
        )
        return replace(plan, changes=changes), waits

    def corrected(
        self, state: AppState, suspects: Mapping[ObjectRef, Suspect], answers: Mapping[ObjectRef, dict[str, Any]]
    ) -> None:
        """Record what our applies put right; equal values were no drift and leave no trace."""
        now = self._clock.now()
        for ref, answer in answers.items():
            suspect = suspects[ref]
            live = suspect.live
            found = (gone(suspect.manifest.body),) if live is None else differences(answer, live)
            if not found:
                state.drift.settle(ref)
                continue
            known = state.drift.fields_of(ref)
            records = state.drift.corrected(ref, found, now=now, seen=suspect.seen)
            state.news += records
            self._count(state, ref, records, detected=sum(record.field not in known for record in records))

    def _count(self, state: AppState, ref: ObjectRef, records: Collection[DriftRecord], *, detected: int) -> None:
        """Count drift once, though it stood before it was corrected; and see whether somebody fights."""
        owner = state.owner
        self._metrics.drift_detected(owner.namespace, owner.name, detected)
        repairs = [(record.corrected_seconds or 0.0) - record.since_seconds for record in records]
        self._metrics.drift_corrected(owner.namespace, owner.name, repairs)
        fights = self._fights.get(ref, Fights())
        now, level = self._clock.monotonic(), fights.level
        for record in records:
            fights = fights.corrected(record.field, record.actor, now=now)
        self._fights[ref] = fights
        if fights.level > level:
            rival = min(fights.opponents)
            state.fought.append(Fought(ref, rival.path_text, rival.actor, fights.wait_seconds(now=now)))

    def forget(self, ref: ObjectRef) -> None:
        """The object is no longer ours."""
        self._fights.pop(ref, None)
        self._shown.pop(ref, None)


def _own_again(change: Change, equal: Collection[ObjectRef], suspects: Mapping[ObjectRef, Suspect]) -> Change:
    if not isinstance(change, Held) or change.ref not in equal:
        return change
    live = suspects[change.ref].live
    assert live is not None
    return Update(change.manifest, None, live["metadata"]["uid"])
