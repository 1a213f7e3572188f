"""Settings in, object graph out: the one place that knows which adapter stands behind which port.

`run` serves until it is told to stop; the CLI calls it.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass

from trimtab import __version__
from trimtab.adapters.clock.system import SystemClock
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.adapters.kube.access import Access, open_access
from trimtab.adapters.kube.connection import Connection
from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.adapters.kube.own_kinds import KubeOwnKinds
from trimtab.adapters.kube.selector import bucket_selector
from trimtab.adapters.kube.type_watch import Scope
from trimtab.adapters.kube.watcher import KubeWatches
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.adapters.prometheus.metrics import PrometheusMetrics
from trimtab.adapters.prometheus.registry import MetricRegistry
from trimtab.adapters.store.instance import Instance, load_instance
from trimtab.adapters.store.inventory import KubeInventoryStore
from trimtab.adapters.store.rebuild import InventoryRebuilder
from trimtab.core.refs import ObjectRef
from trimtab.core.settings import Settings
from trimtab.reconcile.applications import ApplicationReconciler
from trimtab.reconcile.artifacts import Artifacts
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.desired import DesiredStates
from trimtab.reconcile.desk import APPLICATION, GIT_REPOSITORY, Desk
from trimtab.reconcile.drifts import DriftDesk
from trimtab.reconcile.heritage import Heritage
from trimtab.reconcile.journal import Journal
from trimtab.reconcile.loop import Loop, Reconciler
from trimtab.reconcile.narrator import Narrator
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.queue import WorkQueue
from trimtab.reconcile.repositories import RepositoryReconciler
from trimtab.reconcile.runner import Runner
from trimtab.reconcile.survey import Surveyor
from trimtab.reconcile.sync import Synchroniser
from trimtab.reconcile.teardown import Teardown
from trimtab.reconcile.watch_set import WatchSet

LAG_PERIOD_SECONDS = 0.5
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller put together, not yet running."""

    access: Access
    desk: Desk
    loop: Loop
    queue: WorkQueue
    watches: KubeWatches
    metrics: PrometheusMetrics
    registry: MetricRegistry
    settings: Settings
    serving: asyncio.Event
    """Set once our own kinds are watched."""

    def live(self) -> str:
        """Why the process should be restarted; empty where it should not."""
        age = self.watches.oldest_sign_of_life_seconds()
        if age > self.settings.watch_stale_seconds:
            return f"a watch has shown no sign of life for {age:.0f} s"
        return ""

    def ready(self) -> str:
        """Why the controller cannot do its work yet; empty where it can."""
        return "" if self.serving.is_set() else "kopf does not watch our kinds yet"


async def assemble(settings: Settings, stack: AsyncExitStack) -> Controller:
    """Make all parts and connect them; what must be closed is entered into `stack`. Raises TrimtabError, ApiError."""
    access = await open_access(
        kubeconfig=str(settings.kubeconfig) if settings.kubeconfig else None, context=settings.context
    )
    registry = MetricRegistry()
    metrics = PrometheusMetrics(registry, version=__version__)
    connection = await stack.enter_async_context(Connection(access, on_request=metrics.api_request))
    discovery = Discovery(connection)
    objects = KubeObjects(connection, discovery)
    instance = await load_instance(objects, settings.namespace)
    git = GitMirrors(settings.data_dir / "git")
    await git.start()
    stack.push_async_callback(git.close)
    clock = SystemClock()
    queue = WorkQueue(clock, first_seconds=settings.backoff_min_seconds)
    desk = Desk(queue)
    reconcilers = _Reconcilers(settings, instance, objects, connection, discovery, git, clock, metrics, queue, desk)
    watches = reconcilers.watches
    stack.push_async_callback(watches.close)
    metrics.watch_age(watches.oldest_sign_of_life_seconds)
    metrics.queue_depth(lambda: queue.depth)
    loop = Loop(queue, reconcilers.by_kind(), clock, metrics, workers=settings.concurrency)
    return Controller(access, desk, loop, queue, watches, metrics, registry, settings, asyncio.Event())


class _Reconcilers:
    """The two reconcilers with everything below them."""

    def __init__(
        self,
        settings: Settings,
        instance: Instance,
        objects: KubeObjects,
        connection: Connection,
        discovery: Discovery,
        git: GitMirrors,
        clock: SystemClock,
        metrics: PrometheusMetrics,
        queue: WorkQueue,
        desk: Desk,
    ) -> None:
        own = KubeOwnKinds(connection)
        journal = Journal(own, clock, instance=f"trimtab-{instance.id}")
        artifacts = Artifacts()
        self._repositories = RepositoryReconciler(
            desk=desk,
            queue=queue,
            git=git,
            artifacts=artifacts,
            credentials=CredentialCache(objects),
            journal=journal,
            clock=clock,
            metrics=metrics,
        )
        observer = Observer(key=instance.key, clock=clock, wake=self._wake)
        selector = bucket_selector(instance.id)
        self.watches = KubeWatches(connection, observer.sink, scope=Scope(selector=selector))
        store = KubeInventoryStore(objects)
        heritage = Heritage(store, InventoryRebuilder(objects, discovery, selector), objects, observer)
        narrator = Narrator(journal, observer, clock, metrics)
        synchroniser = Synchroniser(
            surveyor=Surveyor(objects, observer),
            observer=observer,
            runner=Runner(objects, store, observer, clock),
            drifts=DriftDesk(objects, observer, clock, metrics),
            clock=clock,
            metrics=metrics,
            key=instance.key,
            in_flight=settings.applies_in_flight,
        )
        renderer = KustomizeRenderer(kustomize=settings.kustomize)
        self._applications = ApplicationReconciler(
            desk=desk,
            queue=queue,
            artifacts=artifacts,
            own=own,
            desired=DesiredStates(git=git, renderer=renderer, objects=objects, instance=instance.id, key=instance.key),
            heritage=heritage,
            watch_set=WatchSet(self.watches, observer),
            synchroniser=synchroniser,
            teardown=Teardown(
                objects=objects,
                own=own,
                store=store,
                heritage=heritage,
                synchroniser=synchroniser,
                narrator=narrator,
                controller_namespace=settings.namespace,
            ),
            narrator=narrator,
            clock=clock,
            controller_namespace=settings.namespace,
        )

    def _wake(self, owner: str, ref: ObjectRef | None) -> None:
        self._applications.wake(owner, ref)

    def by_kind(self) -> dict[str, Reconciler]:
        """The reconciler of each kind of ours."""
        return {GIT_REPOSITORY: self._repositories, APPLICATION: self._applications}


async def measure_lag(metrics: PrometheusMetrics) -> None:
    """Count how late the event loop wakes; runs until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        asked = loop.time() + LAG_PERIOD_SECONDS
        await asyncio.sleep(LAG_PERIOD_SECONDS)
        metrics.event_loop_lag(max(loop.time() - asked, 0.0))
