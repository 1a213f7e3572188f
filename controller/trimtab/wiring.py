"""Settings in, object graph out: the one place that knows which adapter stands behind which port.

`run` serves until it is told to stop; the CLI calls it.
"""

import asyncio
import logging
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from trimtab import __version__
from trimtab.adapters.artifacts.store import ArtifactStore
from trimtab.adapters.charts.dependencies import ChartStore
from trimtab.adapters.charts.repositories import HttpChartRepositories
from trimtab.adapters.clock.system import SystemClock
from trimtab.adapters.git.histories import GitHistories
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.adapters.http.loop_thread import LoopThread
from trimtab.adapters.http.pinning import within
from trimtab.adapters.kube.access import Access, open_access
from trimtab.adapters.kube.capabilities import KubeCapabilities
from trimtab.adapters.kube.connection import Connection
from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.adapters.kube.own_kinds import KubeOwnKinds
from trimtab.adapters.kube.selector import bucket_selector
from trimtab.adapters.kube.type_watch import Scope, WatchTimes
from trimtab.adapters.kube.watcher import KubeWatches
from trimtab.adapters.oci.sources import OciSources
from trimtab.adapters.process.decryption import Decryption
from trimtab.adapters.process.memory import give_back
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.adapters.process.scratch import empty_scratch, memory_scratch
from trimtab.adapters.process.signatures import ProcessVerifier
from trimtab.adapters.prometheus.metrics import PrometheusMetrics
from trimtab.adapters.prometheus.registry import MetricRegistry
from trimtab.adapters.store.instance import Instance, InstanceError, load_instance
from trimtab.adapters.store.inventory import KubeInventoryStore
from trimtab.adapters.store.rebuild import InventoryRebuilder
from trimtab.core.settings import Settings
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.applications import ApplicationReconciler
from trimtab.reconcile.artifacts import Artifacts
from trimtab.reconcile.chart_desk import ChartDesk
from trimtab.reconcile.chart_sources import ChartSources
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.culprits import Culprits
from trimtab.reconcile.dependents import Dependents
from trimtab.reconcile.desired import DesiredStates
from trimtab.reconcile.desk import APPLICATION, GIT_REPOSITORY, HELM_REPOSITORY, OCI_REPOSITORY, Desk
from trimtab.reconcile.drifts import DriftDesk
from trimtab.reconcile.fetch_meter import FetchMeter
from trimtab.reconcile.fetches import Fetches
from trimtab.reconcile.heritage import Heritage
from trimtab.reconcile.includes import Includes
from trimtab.reconcile.inputs import InputStore
from trimtab.reconcile.journal import Journal
from trimtab.reconcile.lanes import Lanes
from trimtab.reconcile.loop import Loop, Reconciler
from trimtab.reconcile.measured_renderer import MeasuredRenderer
from trimtab.reconcile.narrator import Narrator
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.origins.git import GitOrigin
from trimtab.reconcile.origins.helm import HelmOrigin
from trimtab.reconcile.origins.oci import OciOrigin
from trimtab.reconcile.origins.origin import Origin, Source
from trimtab.reconcile.queue import Backoff, WorkQueue
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.reconcile.remote_bases import RemoteBases
from trimtab.reconcile.roll_call import ROLL_CALL, RollCall
from trimtab.reconcile.runner import Runner
from trimtab.reconcile.source_reconciler import SourceReconciler
from trimtab.reconcile.sources import Sources
from trimtab.reconcile.survey import Surveyor
from trimtab.reconcile.sync import Synchroniser
from trimtab.reconcile.teardown import Teardown
from trimtab.reconcile.verification import Verifications
from trimtab.reconcile.watch_set import WatchSet
from trimtab.source.addresses import NamespaceAddresses

LAG_PERIOD_SECONDS = 0.5
MEMORY_PERIOD_SECONDS = 20.0
LONGEST_START_PAUSE_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller put together, not yet running."""

    access: Access
    discovery: Discovery
    desk: Desk
    roll_call: RollCall
    loop: Loop
    watches: tuple[KubeWatches, ...]
    metrics: PrometheusMetrics
    registry: MetricRegistry
    settings: Settings

    def live(self) -> str:
        """Why the process should be restarted; empty where it should not."""
        age = _oldest_sign_of_life_seconds(self.watches)
        if age > self.settings.watch_stale_seconds:
            return f"a watch has shown no sign of life for {age:.0f} s"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """The adapters, and what they share."""

    settings: Settings
    instance: Instance
    connection: Connection
    discovery: Discovery
    objects: KubeObjects
    git: GitMirrors
    registries: OciSources
    charts: HttpChartRepositories
    undeclared: ChartStore
    fetches: Fetches
    lanes: Lanes
    accesses: Accesses
    clock: SystemClock
    metrics: PrometheusMetrics
    meter: FetchMeter
    journal: Journal
    artifacts: Artifacts
    queue: WorkQueue
    desk: Desk
    culprits: Culprits


async def assemble(settings: Settings, stack: AsyncExitStack) -> Controller:
    """Make all parts and connect them; what must be closed is entered into `stack`. Raises TrimtabError, ApiError."""
    access = await open_access(
        kubeconfig=str(settings.kubeconfig) if settings.kubeconfig else None, context=settings.context
    )
    registry = MetricRegistry()
    outside = await _open_outside(settings, access, PrometheusMetrics(registry, version=__version__), stack)
    vault = memory_scratch(settings.data_dir)
    if vault is not None:
        stack.callback(shutil.rmtree, vault, ignore_errors=True)
    applications, watches = _applications(outside, vault)
    dependents = Dependents(
        desk=outside.desk, queue=outside.queue, artifacts=outside.artifacts, readers=applications.desired
    )
    for each in watches:
        stack.push_async_callback(each.close)
    outside.metrics.watch_age(lambda: _oldest_sign_of_life_seconds(watches))
    outside.metrics.queue_depth(lambda: outside.queue.depth + outside.lanes.waiting)
    roll_call = RollCall(desk=outside.desk, queue=outside.queue, objects=outside.objects)
    reconcilers: dict[str, Reconciler] = {
        GIT_REPOSITORY: _sources(outside, dependents, _git_origin(outside)),
        OCI_REPOSITORY: _sources(outside, dependents, _oci_origin(outside)),
        HELM_REPOSITORY: _sources(outside, dependents, _helm_origin(outside)),
        APPLICATION: applications,
        ROLL_CALL: roll_call,
    }
    loop = Loop(
        outside.queue,
        reconcilers,
        outside.clock,
        outside.metrics,
        workers=settings.concurrency,
        lanes=outside.lanes,
    )
    return Controller(
        access=access,
        discovery=outside.discovery,
        desk=outside.desk,
        roll_call=roll_call,
        loop=loop,
        watches=watches,
        metrics=outside.metrics,
        registry=registry,
        settings=settings,
    )


async def _open_outside(
    settings: Settings, access: Access, metrics: PrometheusMetrics, stack: AsyncExitStack
) -> _Outside:
    connection = await stack.enter_async_context(Connection(access, on_request=metrics.api_request))
    discovery = Discovery(connection)
    objects = KubeObjects(connection, discovery)
    instance = await _load_instance(objects, settings.namespace)
    git = GitMirrors(settings.data_dir / "git")
    await git.start()
    stack.push_async_callback(git.close)
    downloads = LoopThread()
    stack.push_async_callback(downloads.close)
    store = ArtifactStore(settings.data_dir / "artifacts")
    await asyncio.to_thread(store.open)
    clock = SystemClock()
    queue = WorkQueue(clock, first_seconds=settings.backoff_min_seconds)
    verifier = ProcessVerifier()
    policy = _addresses(settings).of(settings.namespace)
    rule, by_content = within(policy), within(policy.for_content)
    lanes = Lanes()
    fetches = Fetches(queue.add, clock, lanes)
    stack.push_async_callback(fetches.close)
    culprits = Culprits(GitHistories(git), queue.add)
    stack.push_async_callback(culprits.close)
    return _Outside(
        settings=settings,
        instance=instance,
        connection=connection,
        discovery=discovery,
        objects=objects,
        git=git,
        registries=OciSources(downloads, store, rule, verifier),
        charts=HttpChartRepositories(downloads, store, rule, verifier),
        undeclared=ChartStore(
            HttpChartRepositories(downloads, store, by_content, verifier),
            OciSources(downloads, store, by_content, verifier),
        ),
        fetches=fetches,
        lanes=lanes,
        accesses=Accesses(ReferredSecrets(objects)),
        clock=clock,
        metrics=metrics,
        meter=FetchMeter(clock, metrics.fetched),
        journal=Journal(KubeOwnKinds(connection), clock, instance=f"trimtab-{instance.id}"),
        artifacts=Artifacts(),
        queue=queue,
        desk=Desk(queue),
        culprits=culprits,
    )


async def _load_instance(objects: KubeObjects, namespace: str) -> Instance:
    """Wait for what time may mend: the server may just be starting. Raises InstanceError."""
    backoff = Backoff(0.5)
    while True:
        try:
            return await load_instance(objects, namespace)
        except InstanceError as error:
            if not error.retry:
                raise
            log.warning("waiting: %s", error)
        await asyncio.sleep(backoff.next_seconds(LONGEST_START_PAUSE_SECONDS, scatter=0.5))


def _git_origin(outside: _Outside) -> GitOrigin:
    secrets = ReferredSecrets(outside.objects)
    return GitOrigin(
        git=outside.git,
        includes=Includes(outside.desk, outside.artifacts),
        credentials=CredentialCache(secrets),
        verifications=Verifications(git=outside.git, secrets=secrets, verifier=ProcessVerifier(), clock=outside.clock),
        meter=outside.meter,
        clock=outside.clock,
        addresses=_addresses(outside.settings),
    )


def _oci_origin(outside: _Outside) -> OciOrigin:
    return OciOrigin(
        registries=outside.registries,
        accesses=outside.accesses,
        meter=outside.meter,
        clock=outside.clock,
        addresses=_addresses(outside.settings),
    )


def _helm_origin(outside: _Outside) -> HelmOrigin:
    return HelmOrigin(charts=outside.charts, accesses=outside.accesses, meter=outside.meter, clock=outside.clock)


def _addresses(settings: Settings) -> NamespaceAddresses:
    return NamespaceAddresses(
        settings.namespace, allowed=settings.source_networks, restricted=settings.restrict_sources
    )


def _oldest_sign_of_life_seconds(watches: tuple[KubeWatches, ...]) -> float:
    return max(each.oldest_sign_of_life_seconds() for each in watches)


def _sources(outside: _Outside, dependents: Dependents, origin: Origin[Source]) -> SourceReconciler[Source]:
    return SourceReconciler(
        origin=origin,
        desk=outside.desk,
        queue=outside.queue,
        artifacts=outside.artifacts,
        dependents=dependents,
        journal=outside.journal,
        clock=outside.clock,
    )


def _applications(outside: _Outside, vault: Path | None) -> tuple[ApplicationReconciler, tuple[KubeWatches, ...]]:
    settings, instance, objects, clock = outside.settings, outside.instance, outside.objects, outside.clock
    observer = Observer(key=instance.key, clock=clock)
    selector = bucket_selector(instance.id)
    times = WatchTimes(idle_seconds=settings.watch_idle_seconds)
    watches = KubeWatches(outside.connection, observer.sink, scope=Scope(selector=selector), times=times)
    inputs = InputStore(objects=objects, key=instance.key, wake=outside.queue.add)
    inputs.watches = input_watches = KubeWatches(
        outside.connection, inputs.sink, scope=Scope(namespace=settings.namespace), times=times
    )
    own = KubeOwnKinds(outside.connection)
    store = KubeInventoryStore(objects, key=instance.key)
    heritage = Heritage(store, InventoryRebuilder(objects, outside.discovery, selector), objects, observer)
    narrator = Narrator(outside.journal, observer, clock, outside.metrics, outside.culprits, mask=inputs.masked)
    synchroniser = _synchroniser(outside, observer, Runner(objects, store, observer, clock))
    # In the data folder, which is locked by now: others may look into the system's folder for such things.
    scratch = empty_scratch(settings.data_dir / "scratch")
    decryption = Decryption(program=settings.sops, vault=vault)
    renderer = KustomizeRenderer(
        kustomize=settings.kustomize,
        helm=settings.helm,
        scratch=scratch,
        decryption=decryption,
        charts=_chart_desk(outside),
    )
    applications = ApplicationReconciler(
        desk=outside.desk,
        queue=outside.queue,
        artifacts=outside.artifacts,
        sources=Sources(outside.artifacts, outside.charts, outside.fetches),
        objects=objects,
        own=own,
        desired=DesiredStates(
            renderer=MeasuredRenderer(renderer=renderer, clock=clock, metrics=outside.metrics),
            objects=objects,
            inputs=inputs,
            instance=instance.id,
            key=instance.key,
            capabilities=KubeCapabilities(outside.connection, outside.discovery),
            bases=RemoteBases(outside.git, clock, fetches=outside.fetches),
        ),
        heritage=heritage,
        watch_set=WatchSet(watches, observer),
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
    observer.wake = applications.wake
    return applications, (watches, input_watches)


def _chart_desk(outside: _Outside) -> ChartDesk:
    sources = ChartSources(outside.desk.fetched_sources, outside.accesses)
    declared = ChartStore(outside.charts, outside.registries)
    return ChartDesk(sources, declared, outside.undeclared, outside.fetches)


def _synchroniser(outside: _Outside, observer: Observer, runner: Runner) -> Synchroniser:
    return Synchroniser(
        surveyor=Surveyor(outside.objects, observer),
        observer=observer,
        runner=runner,
        drifts=DriftDesk(outside.objects, observer, outside.clock, outside.metrics),
        clock=outside.clock,
        metrics=outside.metrics,
        in_flight=outside.settings.applies_in_flight,
    )


async def measure_lag(metrics: PrometheusMetrics) -> None:
    """Count how late the event loop wakes; runs until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        asked = loop.time() + LAG_PERIOD_SECONDS
        await asyncio.sleep(LAG_PERIOD_SECONDS)
        metrics.event_loop_lag(max(loop.time() - asked, 0.0))


async def return_memory() -> None:
    """Give back now and then what bursts of work left free, which would be kept for ever; runs until cancelled."""
    while True:
        await asyncio.sleep(MEMORY_PERIOD_SECONDS)
        give_back()
