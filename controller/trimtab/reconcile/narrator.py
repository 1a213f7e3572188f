"""Tells how an Application fares: status, Events and the metrics of its way from commit to health.

Reconciler and teardown call it at the end of each step; it knows what was told before and tells only what is new.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from trimtab.api.application import RESOURCE, Application, ApplicationStatus
from trimtab.apply.results import Ending, Operation
from trimtab.core.errors import Problem
from trimtab.core.inventory import Applied
from trimtab.core.refs import ObjectRef
from trimtab.core.revision import Revision
from trimtab.health.status import Health, HealthStatus, worst
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.culprits import Culprits
from trimtab.reconcile.journal import Journal
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import Clock, Metrics
from trimtab.reconcile.queue import Key
from trimtab.reconcile.sources import Bundle
from trimtab.reconcile.state import AppState, Fought
from trimtab.reconcile.sync import SyncReport
from trimtab.render.hooks import left_out
from trimtab.report.application import ApplicationNews, Phase, application_status
from trimtab.report.drift_items import DriftRecord
from trimtab.report.events import Happening, Reason, Regarding
from trimtab.report.hiding import without_values

_UNSEEN = Health(HealthStatus.UNKNOWN, "not seen yet")


class Narrator:
    """One per process."""

    def __init__(
        self,
        journal: Journal,
        observer: Observer,
        clock: Clock,
        metrics: Metrics,
        culprits: Culprits | None = None,
        *,
        mask: Callable[[Key, str], str],
    ) -> None:
        """`mask` takes out of a text about an Application what it has from Secrets."""
        self._journal = journal
        self._mask = mask
        self._observer = observer
        self._clock = clock
        self._metrics = metrics
        self._culprits = culprits
        self._artifacts: dict[str, Artifact] = {}
        self._others: dict[str, dict[str, str]] = {}
        self._superseded: dict[str, Revision] = {}

    def begin(self, state: AppState, bundle: Bundle) -> None:
        """A turn for these sources begins."""
        uid, artifact = state.owner.uid, bundle.main
        self._others[uid] = {name: str(other.revision) for name, other in bundle.others.items()}
        before = self._artifacts.get(uid)
        self._artifacts[uid] = artifact
        state.arrived_at = None
        if str(artifact.revision) == state.attempted:
            return
        unfinished = state.attempted and state.attempted != state.applied and not state.problems
        if unfinished and before is not None:
            self._superseded[uid] = before.revision
        state.attempted = str(artifact.revision)
        state.announced = False
        state.arrived_at = artifact.seen_at if before is not None else None
        state.waiting_since = None
        state.backoff.failures = 0

    async def announce(self, application: Application, state: AppState) -> None:
        """Something is about to be done for a new revision: say so, once.

        One that changes nothing is told when it counts as applied, in one write.
        """
        if not state.announced:
            await self.tell(application, state, Phase.APPLYING)

    async def tell(
        self, application: Application, state: AppState, phase: Phase, *, message: str = "", reason: str = ""
    ) -> None:
        """Write the status if it changed, and measure what was reached. Raises ApiError."""
        state.announced = True
        healths = self._healths(state)
        artifact = self._artifacts.get(state.owner.uid)
        self._note_progress(state, phase, worst(healths), artifact)
        problems = state.problems if phase in (Phase.FAILED, Phase.DELETING) else ()
        if self._culprits is not None and artifact is not None and phase is Phase.FAILED:
            key = Key(RESOURCE.kind, state.owner.namespace, state.owner.name)
            problems = self._culprits.name(key, state.trees or {"": artifact.tree}, problems)
        news = ApplicationNews(
            phase=phase,
            revision=artifact.revision if artifact else None,
            sources=self._others.get(state.owner.uid),
            reason=reason or (problems[0].reason if problems else ""),
            message=message,
            retry=any(problem.retry for problem in problems) if problems else True,
            problems=problems,
            objects=len(state.inventory or ()),
            healths=healths,
            drift=state.drift.records,
            blind=self._observer.blind_to(state.kinds),
            overdue=self._overdue(application, state),
            supersedes=self._superseded.pop(state.owner.uid, None),
            bases=state.desired.bases if state.desired else None,
            note=_note(application, artifact, state),
        )
        shown = application.status
        last = self._journal.last(RESOURCE, application.metadata, shown)
        status = application_status(
            application.model_copy(update={"status": last}), news, now_seconds=self._clock.now()
        )
        hidden = without_values(status, partial(self._mask, _key(application)))
        await self._journal.write(RESOURCE, application.metadata, shown, hidden)
        self._metrics.drifted(state.owner.namespace, state.owner.name, len(state.drift.drifted))

    def _healths(self, state: AppState) -> dict[ObjectRef, Health]:
        found = {}
        for ref, entry in (state.inventory or {}).items():
            sighting = self._observer.sighting(ref)
            if sighting is not None and isinstance(entry, Applied):
                found[ref] = sighting.health
            else:
                doubt = self._observer.doubt(ref)
                found[ref] = Health(HealthStatus.UNKNOWN, doubt) if doubt else _UNSEEN
        return found

    def _note_progress(self, state: AppState, phase: Phase, health: Health, artifact: Artifact | None) -> None:
        if phase is not Phase.APPLIED or artifact is None:
            return
        revision = str(artifact.revision)
        age = self._clock.now() - artifact.commit.committer_time if artifact.commit else None
        if state.applied != revision:
            state.applied = revision
            state.waiting_since = self._clock.monotonic()
            if age is not None:
                self._metrics.commit_applied(age)
        if health.current:
            state.waiting_since = None
            if state.measured != revision:
                state.measured = revision
                if age is not None:
                    self._metrics.commit_healthy(age)

    def _overdue(self, application: Application, state: AppState) -> bool:
        since = state.waiting_since
        return since is not None and self._clock.monotonic() - since >= application.spec.timeout_seconds

    def pauses(self, application: Application, state: AppState) -> list[float]:
        """Seconds after which the status must be looked at again though nothing happens: the end of the health wait."""
        if not application.spec.wait or state.waiting_since is None:
            return []
        left = state.waiting_since + application.spec.timeout_seconds - self._clock.monotonic()
        return [left + 0.01] if left > 0 else []

    async def results(self, application: Application, state: AppState, report: SyncReport) -> None:
        """Post Events about what a sync did and found."""
        news, state.news = state.news, []
        for record in news:
            reason = Reason.DRIFT_DETECTED if record.standing else Reason.DRIFT_CORRECTED
            await self._post(application, reason, _drift_note(record), "Correct")
        fought, state.fought = state.fought, []
        for fight in fought:
            await self._post(application, Reason.FIGHT, _fight_note(fight), "Correct")
        counts = Counter(result.operation for result in report.results.values() if result.ending is Ending.DONE)
        for removed, what in ((Operation.DELETE, "deleted"), (Operation.ORPHAN, "let go of")):
            counts_removed = counts.pop(removed, 0)
            if counts_removed:
                note = f"{what} {counts_removed} objects that {state.attempted} does not declare"
                await self._post(application, Reason.PRUNED, note, "Prune")
        counts.pop(Operation.NONE, 0)
        counts.pop(Operation.FORGET, 0)
        if counts and not news:
            done = ", ".join(f"{operation.value} {count}" for operation, count in sorted(counts.items()))
            await self._post(application, Reason.APPLIED, f"{state.attempted}: {done}", "Apply")
        for problem in report.problems[:3]:
            await self._post(application, Reason.APPLY_FAILED, str(problem), "Apply")

    async def _post(self, application: Application, reason: Reason, note: str, action: str) -> None:
        told = self._mask(_key(application), note)
        await self._journal.tell(Happening(Regarding.of(RESOURCE, application), reason, told, action))

    async def invalid(self, body: dict[str, Any], problem: Problem) -> None:
        """Say of an Application that cannot be read that it is so."""
        await self._journal.invalid(RESOURCE, body, problem, ApplicationStatus)

    def forget(self, key: Key, uid: str) -> None:
        """The Application is gone."""
        self._journal.forget(key)
        self._artifacts.pop(uid, None)
        self._others.pop(uid, None)
        self._superseded.pop(uid, None)
        self._metrics.forget_application(key.namespace, key.name)


def _note(application: Application, artifact: Artifact | None, state: AppState) -> str:
    """What to know of the revision: who signed its chart, which no other object tells, and what was left out of it."""
    signed_by = artifact.signed_by if artifact is not None and application.spec.chart else ""
    hooks = left_out(state.desired.hooks) if state.desired else ""
    return "; ".join(each for each in (f"chart signed by {signed_by}" if signed_by else "", hooks) if each)


def _key(application: Application) -> Key:
    return Key(RESOURCE.kind, application.metadata.namespace, application.metadata.name)


def _fight_note(fight: Fought) -> str:
    what = fight.field or "the object"
    remedy = "find out what it is for, and declare the field in one place only"
    return (
        f"{fight.ref}: {what} is changed again and again by {fight.actor}; "
        f"the next correction comes in {fight.wait_seconds:.0f} s: {remedy}"
    )


def _drift_note(record: DriftRecord) -> str:
    what = record.field or "the object"
    how = "was put back" if not record.standing else "differs from Git"
    return f"{record.ref}: {what} {how} (changed by {record.actor})"
