"""The whole loop over fakes, on the event loop's virtual time: what a process knows is lost at `stop`, the world stays.

rig = Rig()
rig.declare(config_map("a"))
rig.start()
await rig.settle()
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.fakes.clock import LoopClock
from tests.fakes.cluster import Cluster, FakeObjects, FakeWatches, live
from tests.fakes.downloads import FakeCharts, FakeRegistries
from tests.fakes.git import FakeGit, FakeHistory, FakeRenderer, Folder
from tests.fakes.metrics import FakeMetrics
from tests.fakes.office import APP, NAMESPACE, REPO, Office
from tests.fakes.store import FakeRebuilder, FakeStore
from tests.fakes.verifier import FakeVerifier

from trimtab.core.refs import ObjectRef
from trimtab.drift.baseline import baseline
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.applications import ApplicationReconciler
from trimtab.reconcile.artifacts import Artifacts
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.culprits import Culprits
from trimtab.reconcile.dependents import Dependents
from trimtab.reconcile.desired import DesiredStates
from trimtab.reconcile.desk import HELM_REPOSITORY, OCI_REPOSITORY, Desk
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
from trimtab.reconcile.queue import WorkQueue
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.reconcile.remote_bases import RemoteBases
from trimtab.reconcile.runner import Runner
from trimtab.reconcile.source_reconciler import SourceReconciler
from trimtab.reconcile.sources import Sources
from trimtab.reconcile.survey import Surveyor
from trimtab.reconcile.sync import Synchroniser
from trimtab.reconcile.teardown import Teardown
from trimtab.reconcile.verification import Verifications
from trimtab.reconcile.watch_set import WatchSet
from trimtab.render.inputs import Capabilities
from trimtab.source.addresses import NamespaceAddresses

SIGNING_KEY = b"installation"
SETTLE_SECONDS = 10.0
"""Long enough for every turn, far shorter than the poll interval of the repository."""


def namespace(name: str) -> dict[str, Any]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def config_map(name: str, /, *, annotations: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    """A ConfigMap in the namespace shop."""
    metadata: dict[str, Any] = {"name": name, "namespace": "shop"}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"mode": "fast"}}


def deployment(name: str, *, replicas: int = 1) -> dict[str, Any]:
    """A Deployment in the namespace shop, without a status: InProgress until `available` is written."""
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas}}


AVAILABLE = {
    "observedGeneration": 0,
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
    "conditions": [{"type": "Available", "status": "True"}],
}


def ref_to(body: dict[str, Any]) -> ObjectRef:
    """The identity of a body."""
    return ObjectRef.of(body)


class FakeCapabilities:
    """The port `ClusterCapabilities`; `seen` is what it shows."""

    def __init__(self) -> None:
        self.seen = Capabilities("v1.36.3", ("v1",))

    async def look(self) -> Capabilities:
        """What is seen."""
        return self.seen


class Rig:
    """A world with one repository and one Application on it, and the controller that serves them."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.cluster = Cluster()
        self.git = FakeGit(self.clock)
        self.registries = FakeRegistries()
        self.charts = FakeCharts()
        self.verifier = FakeVerifier()
        self.history = FakeHistory()
        self.office = Office()
        self.store = FakeStore()
        self.rebuilder = FakeRebuilder(self.cluster, lambda body: baseline(body, key=SIGNING_KEY))
        for name in ("shop", NAMESPACE):
            self.cluster.other_applies(namespace(name))
        self.cluster.other_applies(_definition())
        self.cluster.settle()
        self.objects = FakeObjects(self.cluster)
        self.capabilities = FakeCapabilities()
        self.chart: dict[str, Any] = {}
        """What a chart would tell beside its manifests: fields of `Rendered`."""
        self._task: asyncio.Task[None] | None = None

    # --- users

    def source(self, **spec: Any) -> None:
        """The GitRepository."""
        self.office.create(REPO, **{"url": "https://git.example/fleet", "interval": "60s", **spec})

    def application(self, **spec: Any) -> None:
        """The Application."""
        self.office.create(APP, **{"sourceRef": {"name": "fleet"}, "path": "shop", "prune": True, **spec})

    def declare(self, *bodies: dict[str, Any], **folders: Folder) -> str:
        """Commit these objects into the Application's folder, and other folders."""
        content: dict[str, Folder] = {"shop": bodies, **folders}
        return self.git.commit(content)

    def push(self, *bodies: dict[str, Any], **folders: Folder) -> str:
        """Commit, and tell the controller."""
        sha = self.declare(*bodies, **folders)
        self.office.poke(REPO, sha)
        return sha

    def edit(self, body: dict[str, Any], path: str, value: Any, manager: str = "kubectl-edit") -> None:
        """Change a field of a declared object in the cluster."""
        self.cluster.edit(ref_to(body), path, value, manager=manager)

    # --- the controller

    def start(self) -> None:
        """A new process."""
        self.objects.take_requests()
        self.renderer = FakeRenderer(**self.chart)
        self.metrics = FakeMetrics()
        self.queue = WorkQueue(self.clock, seed=7)
        self.desk = Desk(self.queue)
        self.artifacts = Artifacts()
        self.observer = Observer(key=SIGNING_KEY, clock=self.clock)
        self.watches = FakeWatches(self.cluster, self.observer.sink)
        self.inputs = InputStore(objects=self.objects, key=SIGNING_KEY, wake=self.queue.add)
        self.inputs.watches = self.input_watches = FakeWatches(self.cluster, self.inputs.sink, namespace=NAMESPACE)
        lanes = Lanes()
        self.fetches = Fetches(self.queue.add, self.clock, lanes)
        self.journal = Journal(self.office, self.clock, instance="trimtab-test")
        self.applications = self._applications()
        self.dependents = Dependents(
            desk=self.desk, queue=self.queue, artifacts=self.artifacts, readers=self.applications.desired
        )
        self.meter = FetchMeter(self.clock, self.metrics.fetched)
        self.git_origin = self._git_origin()
        self.repositories = self._sources(self.git_origin)
        self.observer.wake = self.applications.wake
        accesses = Accesses(ReferredSecrets(self.objects))
        reconcilers: dict[str, Reconciler] = {
            REPO.kind: self.repositories,
            OCI_REPOSITORY: self._sources(
                OciOrigin(registries=self.registries, accesses=accesses, meter=self.meter, clock=self.clock)
            ),
            HELM_REPOSITORY: self._sources(
                HelmOrigin(charts=self.charts, accesses=accesses, meter=self.meter, clock=self.clock)
            ),
            APP.kind: self.applications,
        }
        self.loop = Loop(self.queue, reconcilers, self.clock, self.metrics, workers=4, lanes=lanes)
        self.office.desk = self.desk
        self.office.show_all()
        self._task = asyncio.create_task(self.loop.run())

    async def stop(self) -> None:
        """The process ends, and all it knew with it."""
        self.watches.close()
        self.input_watches.close()
        self.office.desk = None
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.fetches.close()
        self._task = None

    @property
    def running(self) -> bool:
        """Whether a process is there."""
        return self._task is not None

    async def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)
        assert self._task is not None
        assert not self._task.done(), "the loop died"

    async def sail(self, *bodies: dict[str, Any], **spec: Any) -> None:
        """From nothing to a first sync of these objects."""
        self.declare(*bodies)
        self.source()
        self.application(**spec)
        self.start()
        await self.settle()

    async def restart(self) -> None:
        """Another process on the same world."""
        await self.stop()
        self.start()
        await self.settle()

    # --- what tests look at

    def live(self, body: dict[str, Any]) -> dict[str, Any]:
        """The live object of a declared one."""
        return live(self.cluster, ref_to(body))

    def is_there(self, body: dict[str, Any]) -> bool:
        """Whether the object exists."""
        return ref_to(body) in self.cluster.objects

    def said(self, kind: str = "Ready") -> tuple[str, str]:
        """A condition of the Application: status and reason."""
        return self.office.said(APP, kind)

    def message(self, kind: str = "Ready") -> str:
        """A condition's sentence."""
        return str(self.office.condition(APP, kind)["message"])

    @property
    def writes(self) -> Sequence[tuple[str, str]]:
        """The requests that write."""
        return [each for each in self.objects.requests if each[0] not in ("get", "list", "dry-run")]

    # --- inside

    def _git_origin(self) -> GitOrigin:
        secrets = ReferredSecrets(self.objects)
        return GitOrigin(
            git=self.git,
            includes=Includes(self.desk, self.artifacts),
            credentials=CredentialCache(secrets),
            verifications=Verifications(git=self.git, secrets=secrets, verifier=self.verifier, clock=self.clock),
            meter=self.meter,
            clock=self.clock,
            addresses=NamespaceAddresses(NAMESPACE),
        )

    def _sources(self, origin: Origin[Source]) -> SourceReconciler[Source]:
        return SourceReconciler(
            origin=origin,
            desk=self.desk,
            queue=self.queue,
            artifacts=self.artifacts,
            dependents=self.dependents,
            journal=self.journal,
            clock=self.clock,
        )

    def _applications(self) -> ApplicationReconciler:
        heritage = Heritage(self.store, self.rebuilder, self.objects, self.observer)
        culprits = Culprits(self.history, self.queue.add)
        self.narrator = Narrator(
            self.journal, self.observer, self.clock, self.metrics, culprits, mask=self.inputs.masked
        )
        self.drifts = DriftDesk(self.objects, self.observer, self.clock, self.metrics)
        synchroniser = Synchroniser(
            surveyor=Surveyor(self.objects, self.observer),
            observer=self.observer,
            runner=Runner(self.objects, self.store, self.observer, self.clock),
            drifts=self.drifts,
            clock=self.clock,
            metrics=self.metrics,
            in_flight=4,
        )
        return ApplicationReconciler(
            desk=self.desk,
            queue=self.queue,
            artifacts=self.artifacts,
            sources=Sources(self.artifacts, self.charts, self.fetches),
            objects=self.objects,
            own=self.office,
            desired=DesiredStates(
                renderer=MeasuredRenderer(renderer=self.renderer, clock=self.clock, metrics=self.metrics),
                objects=self.objects,
                inputs=self.inputs,
                instance="test",
                key=SIGNING_KEY,
                capabilities=self.capabilities,
                bases=RemoteBases(self.git, self.clock, fetches=self.fetches),
            ),
            heritage=heritage,
            watch_set=WatchSet(self.watches, self.observer),
            synchroniser=synchroniser,
            teardown=Teardown(
                objects=self.objects,
                own=self.office,
                store=self.store,
                heritage=heritage,
                synchroniser=synchroniser,
                narrator=self.narrator,
                controller_namespace=NAMESPACE,
            ),
            narrator=self.narrator,
            clock=self.clock,
            controller_namespace=NAMESPACE,
        )


def _definition() -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "applications.trimtab.dev"},
        "spec": {"group": "trimtab.dev", "names": {"kind": "Application"}},
    }
