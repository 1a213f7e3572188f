"""Application: what its spec and the newest artifact ask for, brought about turn by turn.

The loop calls it with a key; each turn is level-triggered: it looks at what is due (a revision, objects under
suspicion, health to report) and does just that.
"""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from trimtab.api import git_repository, helm_repository, oci_repository
from trimtab.api.application import RESOURCE, Application
from trimtab.core.errors import Problem, TrimtabError
from trimtab.core.names import FINALIZER
from trimtab.core.observed import Absent
from trimtab.core.outcome import Outcome, Result
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import Owner
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.desired import DesiredStates
from trimtab.reconcile.desk import APPLICATION, Desk
from trimtab.reconcile.fetches import StillFetching
from trimtab.reconcile.heritage import Heritage
from trimtab.reconcile.holdings import Holdings
from trimtab.reconcile.narrator import Narrator
from trimtab.reconcile.ports import Clock, Objects, OwnKinds
from trimtab.reconcile.queue import Backoff, Key, WorkQueue
from trimtab.reconcile.sources import Bundle, Sources
from trimtab.reconcile.state import AppState, Desired
from trimtab.reconcile.sync import Synchroniser, SyncReport
from trimtab.reconcile.teardown import Teardown
from trimtab.reconcile.watch_set import WatchSet
from trimtab.report.application import Phase

HEALTH_PAUSE_SECONDS = 0.25
"""News of health are gathered for so long before the status is written."""
SURELY_LATER_SECONDS = 0.05
"""Beyond an interval after which a remote base is asked for again."""
UNSHOWN_SECONDS = 5.0
"""How long the event of a source that exists may be on its way before the server is asked once more."""
_SOURCES: dict[str, ResourceType] = {
    kind.kind: kind for kind in (git_repository.RESOURCE, oci_repository.RESOURCE, helm_repository.RESOURCE)
}


@dataclass(slots=True, kw_only=True)
class ApplicationReconciler:
    """One turn for one Application."""

    desk: Desk
    queue: WorkQueue
    artifacts: Artifacts
    sources: Sources
    objects: Objects
    own: OwnKinds
    desired: DesiredStates
    heritage: Heritage
    watch_set: WatchSet
    synchroniser: Synchroniser
    teardown: Teardown
    narrator: Narrator
    clock: Clock
    controller_namespace: str
    _states: dict[Key, AppState] = field(default_factory=dict)
    _released: dict[Key, str] = field(default_factory=dict)
    """The UIDs of Applications that were let go, until the server says that they went."""

    def limit_seconds(self, key: Key) -> float:
        """`spec.interval` bounds the back-off."""
        application = self.desk.application(key)
        return application.spec.interval_seconds if application else 60.0

    async def before_turn(self, _key: Key) -> None:
        """Turns wait for nobody."""

    def server(self, _key: Key) -> str | None:
        """Nobody: what an Application needs of other servers is fetched beside its turns."""
        return None

    def wake(self, owner: str, ref: ObjectRef | None) -> None:
        """The observer saw something of an object whose owner annotation says `owner`."""
        named = Owner.parse(owner)
        if named is None:
            return
        key = Key(APPLICATION, named.namespace, named.name)
        state = self._states.get(key)
        if state is None or state.owner != named:
            return
        if ref is None:
            self.queue.add_after(key, HEALTH_PAUSE_SECONDS)
        else:
            state.suspects.add(ref)
            self.queue.add(key)

    async def reconcile(self, key: Key) -> Outcome:
        """Do what is due."""
        application = self.desk.application(key)
        if application is None:
            return await self._unreadable(key)
        if self._released.get(key) == application.metadata.uid:
            # A turn asked for meanwhile would take what still goes for a lost inventory, and write it down again.
            return Outcome.done()
        await self._clear_predecessor(key, application)
        state = self._state(key, application)
        if application.metadata.deleting:
            outcome = await self.teardown.run(key, application, state)
            if outcome.result is Result.SUCCESS:
                self._released[key] = application.metadata.uid
                self._forget(key)
            return outcome
        if application.spec.suspend:
            await self.narrator.tell(application, state, Phase.SUSPENDED)
            return Outcome.done()
        if FINALIZER not in application.metadata.finalizers:
            await self.own.set_finalizer(RESOURCE, key.namespace, key.name, present=True)
        await self.heritage.load(application, state)
        return await self._follow(key, application, state)

    async def _follow(self, key: Key, application: Application, state: AppState) -> Outcome:
        missing = self.sources.missing(key, application)
        if missing is not None:
            return await self._without_source(missing, application, state)
        again = self.clock.monotonic() >= state.retry_at
        try:
            bundle = await self.sources.get(key, application, again=again)
            artifact = bundle.main
            self.narrator.begin(state, bundle)
            if self._may_have_moved(application, artifact, state):
                state.previous = await self.desired.recall(application, artifact, state)
            desired = await self.desired.get(
                application,
                artifact,
                state,
                others=bundle.trees,
                again=again,
                announce=partial(self.narrator.announce, application, state),
            )
        except StillFetching as awaited:
            return await self._await_fetch(application, state, awaited)
        except TrimtabError as error:
            return await self._broken(key, application, state, error)
        return await self._advance(key, application, state, desired, bundle)

    @staticmethod
    def _may_have_moved(application: Application, artifact: Artifact, state: AppState) -> bool:
        """Whether after a restart there may be something else to apply than what was applied last."""
        if state.previous is not None or not state.applied:
            return False
        return state.applied != str(artifact.revision) or bool(application.status.remote_bases)

    async def _without_source(self, source: Key, application: Application, state: AppState) -> Outcome:
        if not self.desk.known(source) and not await self._source_absent(source):
            # After a restart Applications are often shown before the sources of theirs: their own event wakes them.
            return Outcome.done(again_seconds=UNSHOWN_SECONDS)
        on_its_way = self.desk.known(source) and not self.artifacts.tried(source)
        # After a restart the first fetch is a moment away: what the status says is still true until then.
        if not (on_its_way and state.attempted):
            message = self._source_missing(source)
            await self._heal_last(application, state)
            await self.narrator.tell(application, state, Phase.WAITING, message=message)
        return Outcome.done()

    async def _await_fetch(self, application: Application, state: AppState, awaited: StillFetching) -> Outcome:
        """What is on its way wakes us; a failure of the last try stays said meanwhile."""
        await self._heal_last(application, state)
        at_rest = awaited.anew and state.attempted == state.applied
        if not state.problems and not at_rest:
            await self.narrator.tell(application, state, Phase.WAITING, message=awaited.problems[0].message)
        return Outcome.done()

    async def _advance(
        self, key: Key, application: Application, state: AppState, desired: Desired, bundle: Bundle
    ) -> Outcome:
        due = f"{desired.key}/{application.metadata.generation}/{application.metadata.requested_at}"
        full = state.settled_key != due and (state.tried_key != due or self.clock.monotonic() >= state.retry_at)
        state.kinds = desired.kinds | self.heritage.kinds(state)
        await self.watch_set.want(key, state.kinds)
        suspects, state.suspects = state.suspects, set()
        if not full and not suspects:
            return await self._conclude(application, state, SyncReport())
        if full:
            await self.narrator.announce(application, state)
        report = await self._sync(key, application, state, desired, None if full else suspects, bundle)
        if report.superseded:
            state.settled_key = state.tried_key = ""
            self.queue.add(key)
            return Outcome(Result.SUPERSEDED)
        state.suspects |= report.waiting.keys()
        if full:
            await self._watch_new_kinds(key, state, desired)
            self._learn_full(application, state, desired, report, due)
        elif report.problems:
            state.settled_key = ""
            self._postpone(application, state, report.problems)
        return await self._conclude(application, state, report)

    async def _watch_new_kinds(self, key: Key, state: AppState, desired: Desired) -> None:
        """Types that this revision's own CRDs brought are served, and can be watched, only now."""
        await self.heritage.learn_kinds(state)
        kinds = desired.kinds | self.heritage.kinds(state)
        if kinds != state.kinds:
            state.kinds = kinds
            await self.watch_set.want(key, kinds)

    def _learn_full(
        self, application: Application, state: AppState, desired: Desired, report: SyncReport, due: str
    ) -> None:
        problems = (*desired.problems, *report.problems)
        state.tried_key = due
        if problems:
            state.settled_key = ""
            self._postpone(application, state, problems)
            return
        state.settled_key, state.problems, state.previous = due, (), desired
        state.backoff = Backoff(state.backoff.first_seconds)

    def _postpone(self, application: Application, state: AppState, problems: tuple[Problem, ...]) -> None:
        """Remember what went wrong, and when to try again: later each time, at least every `interval`."""
        state.problems = problems
        limit = application.spec.interval_seconds
        mends = any(problem.retry for problem in problems)
        pause = state.backoff.next_seconds(limit, scatter=random.random()) if mends else limit  # noqa: S311
        state.retry_at = self.clock.monotonic() + pause

    async def _sync(
        self,
        key: Key,
        application: Application,
        state: AppState,
        desired: Desired,
        only: set[ObjectRef] | None,
        bundle: Bundle,
    ) -> SyncReport:
        neighbours = await self.heritage.neighbours(state, desired) if only is None else ()
        options = self._options(application, state, desired, neighbours=neighbours)
        return await self.synchroniser.sync(
            state,
            desired,
            options,
            only=only,
            timeout_seconds=application.spec.timeout_seconds,
            superseded=self._newer_than(key, application, bundle),
        )

    async def _conclude(self, application: Application, state: AppState, report: SyncReport) -> Outcome:
        """Tell, and say when to look again whatever happens: every turn sets all timers anew."""
        now = self.clock.monotonic()
        await self.narrator.results(application, state, report)
        phase = Phase.FAILED if state.problems else Phase.APPLIED
        await self.narrator.tell(application, state, phase)
        pauses = [*report.waiting.values(), *self.narrator.pauses(application, state)]
        if state.problems:
            pauses.append(max(state.retry_at - now, 0.01))
        if state.desired is not None and state.desired.follow_seconds is not None:
            pauses.append(state.desired.follow_seconds + SURELY_LATER_SECONDS)
        pause = min(pauses, default=None)
        if state.problems:
            return Outcome(Result.FAILURE, pause, str(state.problems[0]))
        return Outcome.done(again_seconds=pause)

    async def _broken(self, key: Key, application: Application, state: AppState, error: TrimtabError) -> Outcome:
        """The newest revision cannot be used: say so, and go on healing what the last good one declared."""
        state.settled_key = state.tried_key = ""
        if state.problems != error.problems or self.clock.monotonic() >= state.retry_at:
            self._postpone(application, state, error.problems)
        if state.previous is not None:
            state.kinds = state.previous.kinds | self.heritage.kinds(state)
            await self.watch_set.want(key, state.kinds)
        await self._heal_last(application, state)
        await self.narrator.tell(application, state, Phase.FAILED, reason=error.reason)
        return Outcome(Result.FAILURE, state.retry_at - self.clock.monotonic(), str(error))

    async def _heal_last(self, application: Application, state: AppState) -> None:
        """Heal what drifted from the last good revision, while there is no newer one to follow."""
        suspects, state.suspects = state.suspects, set()
        if state.previous is None or not suspects:
            return
        report = await self.synchroniser.sync(
            state,
            state.previous,
            self._options(application, state, state.previous),
            only=suspects,
            timeout_seconds=application.spec.timeout_seconds,
            superseded=lambda: False,
        )
        state.suspects |= report.waiting.keys()
        await self.narrator.results(application, state, report)

    def _options(
        self, application: Application, state: AppState, desired: Desired, *, neighbours: Collection[ObjectRef] = ()
    ) -> PlanOptions:
        held = Holdings(self._states.values(), state)
        return self.heritage.options(
            application, state, desired, held, self.controller_namespace, neighbours=neighbours
        )

    def _newer_than(self, key: Key, application: Application, bundle: Bundle) -> Callable[[], bool]:
        def newer() -> bool:
            now = self.desk.application(key)
            return (
                self._moved(key, application, bundle)
                or now is None
                or now.metadata.generation != application.metadata.generation
                or now.metadata.deleting
                or self.desired.outdated(key)
            )

        return newer

    def _moved(self, key: Key, application: Application, bundle: Bundle) -> bool:
        """Whether a source brought something else. A commit elsewhere in a repository does not cut short an apply."""
        if not self.sources.moved(key, application, bundle):
            return False
        trees = self.sources.trees(key, application)
        return trees is None or not self.desired.covers(application.metadata.uid, trees)

    async def _source_absent(self, source: Key) -> bool:
        """Whether the server has no such source: that none was shown is no proof."""
        kind = _SOURCES[source.kind]
        ref = ObjectRef(LOCAL_CLUSTER, kind.group, kind.kind, source.namespace, source.name)
        return isinstance(await self.objects.get(ref, kind.version), Absent)

    def _source_missing(self, source: Key) -> str:
        named = f"{source.kind} {source.namespace}/{source.name}"
        if not self.desk.known(source):
            return f"{named} does not exist: create it, or correct spec.sourceRef.name"
        return f"waiting for the first revision of {named}: see its conditions"

    async def _clear_predecessor(self, key: Key, application: Application) -> None:
        """An Application of this name went while nobody watched, and its Inventory is left."""
        uid = self.desk.left_behind(key)
        if uid not in ("", application.metadata.uid):
            await self.teardown.clear_up(key, uid)

    async def _unreadable(self, key: Key) -> Outcome:
        invalid = self.desk.invalid(key)
        if invalid is None:
            state = self._states.get(key)
            uid = state.owner.uid if state is not None else self.desk.left_behind(key)
            self._released.pop(key, None)
            self._forget(key)
            if uid:
                await self.teardown.clear_up(key, uid)
            return Outcome.done()
        body, problem = invalid
        await self.narrator.invalid(body, problem)
        return Outcome.failed(str(problem), retry=False)

    def _state(self, key: Key, application: Application) -> AppState:
        state = self._states.get(key)
        if state is None or state.owner.uid != application.metadata.uid:
            state = self._states[key] = AppState.begin(key, application)
        return state

    def _forget(self, key: Key) -> None:
        state = self._states.pop(key, None)
        self.watch_set.forget(key)
        self.sources.forget(key)
        if state is not None:
            self.desired.forget(key, state.owner.uid)
            self.narrator.forget(key, state.owner.uid)
        self.queue.forget(key)
