"""One sync of an Application: look, plan, carry out, learn. Full for a revision, partial for objects under suspicion.

The Application's reconciler calls it with a desired state; inventory, observer and drift ledger are brought up to date.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trimtab.api.application import DeletionPolicy
from trimtab.apply.engine import ApplyRun
from trimtab.apply.results import Ending, ObjectResult, Operation
from trimtab.core.errors import Problem
from trimtab.core.inventory import Applied, Entry
from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef
from trimtab.plan.build import build, teardown
from trimtab.plan.changes import Adopt, Create, Held, Plan, Update
from trimtab.plan.options import PlanOptions
from trimtab.reconcile.drifts import DriftDesk, Suspect
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import Clock, Metrics
from trimtab.reconcile.runner import Runner
from trimtab.reconcile.state import AppState, Desired
from trimtab.reconcile.survey import Surveyor

Superseded = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync came to. `waiting` holds the objects to look at again, and after how many seconds."""

    problems: tuple[Problem, ...] = ()
    results: Mapping[ObjectRef, ObjectResult] = field(default_factory=dict)
    superseded: bool = False
    waiting: Mapping[ObjectRef, float] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many objects were changed in the cluster."""
        return sum(
            result.ending is Ending.DONE and result.operation is not Operation.NONE for result in self.results.values()
        )


@dataclass(slots=True, kw_only=True)
class Synchroniser:
    """Brings objects to where the desired state says."""

    surveyor: Surveyor
    observer: Observer
    runner: Runner
    drifts: DriftDesk
    clock: Clock
    metrics: Metrics
    in_flight: int

    async def sync(
        self,
        state: AppState,
        desired: Desired,
        options: PlanOptions,
        *,
        only: Collection[ObjectRef] | None,
        timeout_seconds: float,
        superseded: Superseded,
    ) -> SyncReport:
        """Sync all of `desired`, or the objects `only`."""
        inventory = dict(state.inventory or {})
        manifests = dict(desired.manifests)
        if only is not None:
            manifests = {ref: manifests[ref] for ref in only if ref in manifests}
            inventory = {ref: inventory[ref] for ref in manifests if ref in inventory}
        for ref in manifests.keys() | inventory.keys():
            self.observer.expect(ref, str(state.owner), _expected(inventory.get(ref)))
        sights = await self.surveyor.look(_versions(manifests, inventory), str(state.owner))
        plan = build(list(manifests.values()), inventory, sights, options)
        if only is None and state.arrived_at is not None:
            self.metrics.planned(max(self.clock.now() - state.arrived_at, 0.0))
        suspects = self._suspects(state, desired, plan)
        plan, waiting = self.drifts.give_way(plan, suspects)
        plan, unjudged = await self.drifts.judge_held(state, plan, suspects, desired.digests, waiting=waiting)
        answers: dict[ObjectRef, dict[str, Any]] = {}

        def answered(ref: ObjectRef, body: dict[str, Any]) -> None:
            if ref in suspects:
                answers[ref] = body

        report = await self._carry_out(state, desired, plan, timeout_seconds, superseded, answered)
        self.drifts.corrected(state, suspects, answers)
        _settle_applied(state, desired, report, suspects, whole=only is None)
        return SyncReport(report.problems, report.results, report.superseded, unjudged | waiting)

    async def tear_down(
        self, state: AppState, options: PlanOptions, *, policy: DeletionPolicy, timeout_seconds: float
    ) -> SyncReport:
        """Let go of everything, because the Application is being deleted."""
        inventory = dict(state.inventory or {})
        for ref, entry in inventory.items():
            self.observer.expect(ref, str(state.owner), _expected(entry))
        sights = await self.surveyor.look(_versions({}, inventory), str(state.owner))
        plan = teardown(inventory, sights, options, policy=policy)
        return await self._carry_out(state, None, plan, timeout_seconds, lambda: False, lambda _ref, _body: None)

    async def _carry_out(
        self,
        state: AppState,
        desired: Desired | None,
        plan: Plan,
        timeout_seconds: float,
        superseded: Superseded,
        answered: Callable[[ObjectRef, dict[str, Any]], None],
    ) -> SyncReport:
        run = ApplyRun(plan, entry_of=self._entry_of(desired), in_flight=self.in_flight)
        if not plan.empty:
            await self.runner.run(
                run,
                state.owner,
                timeout_seconds=timeout_seconds,
                superseded=superseded,
                on_answer=answered,
                on_recorded=partial(self._learn, state),
            )
        self._count(run.results)
        problems = (*plan.refused, *(result.problem for result in run.results.values() if result.problem))
        cut = any(result.ending is Ending.SUPERSEDED for result in run.results.values())
        return SyncReport(problems, run.results, cut)

    def _suspects(self, state: AppState, desired: Desired, plan: Plan) -> dict[ObjectRef, Suspect]:
        """The changes that Git did not ask for: same manifest as applied last, but the object is not as it was."""
        now = self.clock.now()
        found = {}
        for change in plan.changes:
            if not isinstance(change, Create | Update | Adopt | Held):
                continue
            entry = (state.inventory or {}).get(change.ref)
            if isinstance(entry, Applied) and entry.declared == desired.digests.get(change.ref):
                sighting = self.observer.sighting(change.ref)
                live = sighting.body if sighting else None
                if live is not None or sighting is None:
                    seen = sighting.changed_at if sighting else now
                    found[change.ref] = Suspect(change.manifest, live, held=isinstance(change, Held), seen=seen)
        return found

    def _entry_of(self, desired: Desired | None) -> Callable[[Manifest, dict[str, Any]], Applied]:
        def entry_of(manifest: Manifest, answer: dict[str, Any]) -> Applied:
            digest = self.observer.digest(answer) or ""
            declared = desired.digests[manifest.ref] if desired else ""
            return Applied(_version(manifest.api_version), answer["metadata"]["uid"], digest, declared)

        return entry_of

    def _learn(self, state: AppState, entries: Mapping[ObjectRef, Entry | None]) -> None:
        """Bring memory and expectations to what the inventory now says."""
        inventory = state.inventory if state.inventory is not None else {}
        for ref, entry in entries.items():
            if entry is None:
                inventory.pop(ref, None)
                self.observer.forget(ref)
                self.drifts.forget(ref)
                state.drift.settle(ref)
            else:
                inventory[ref] = entry
                self.observer.expect(ref, str(state.owner), _expected(entry))
        state.inventory = inventory

    def _count(self, results: Mapping[ObjectRef, ObjectResult]) -> None:
        for result in results.values():
            if result.operation is not Operation.NONE:
                self.metrics.applied(result.operation, result.ending)


def _settle_applied(
    state: AppState, desired: Desired, report: SyncReport, suspects: Collection[ObjectRef], *, whole: bool
) -> None:
    """What Git changed, or does not declare any more, drifts no longer."""
    for ref, result in report.results.items():
        if ref not in suspects and result.ending is Ending.DONE and result.operation is not Operation.NONE:
            state.drift.settle(ref)
    if whole:
        state.drift.retain(desired.manifests.keys())


def _version(api_version: str) -> str:
    return api_version.rpartition("/")[2]


def _expected(entry: Entry | None) -> tuple[str, str] | None:
    return (entry.uid, entry.baseline) if isinstance(entry, Applied) else None


def _versions(manifests: Mapping[ObjectRef, Manifest], inventory: Mapping[ObjectRef, Entry]) -> dict[ObjectRef, str]:
    versions = {ref: entry.version for ref, entry in inventory.items()}
    return versions | {ref: _version(manifest.api_version) for ref, manifest in manifests.items()}
