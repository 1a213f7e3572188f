"""One local cluster: started, asked, repaired, stopped.

In: a name, a number of nodes and where the data goes; out: a kubeconfig for a ready cluster. The CLI, the demo, the
bench and the test fixtures call it; the state on disk lets another process go on where this one ends.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from trimtab.localcluster import certificates, kubeconfig, nodes, ports, readiness
from trimtab.localcluster.assets import Finder
from trimtab.localcluster.client import ApiClient
from trimtab.localcluster.components import AUDIT_POLICY, CLIENTS, Component, Plan, argv
from trimtab.localcluster.errors import ClusterError, ComponentFailed, PortTaken
from trimtab.localcluster.layout import Layout, check_name, clusters_root
from trimtab.localcluster.processes import Lifetime, alive, spawn, stop
from trimtab.localcluster.progress import Progress, Silent
from trimtab.localcluster.registry import CONTROL_PLANE, Platform
from trimtab.localcluster.state import ClusterState
from trimtab.localcluster.status import ClusterStatus, inspect

START_TIMEOUT_SECONDS: Final = 120.0
_START_TRIES: Final = 4
_STOP_GRACE_SECONDS: Final = 5.0
_COMPONENTS: Final = tuple(Component)


class LocalCluster:
    """A control plane on loopback, by default with processes that die with this one.

    `nodes` is the number of simulated nodes; `folder` the place of its data (else the user's state folder, by `name`);
    `apiserver_arguments` are added to the API server's flags. Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(
        self,
        *,
        name: str = "default",
        nodes: int = 2,
        folder: Path | None = None,
        lifetime: Lifetime = Lifetime.ATTACHED,
        apiserver_arguments: Sequence[str] = (),
        progress: Progress | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = check_name(name)
        self.nodes = nodes
        self._environ = os.environ if environ is None else environ
        self.layout = Layout(folder or clusters_root(self._environ) / name)
        self._lifetime = lifetime
        self._arguments = tuple(apiserver_arguments)
        self._progress: Progress = progress or Silent()
        self._programs: dict[str, Path] = {}
        self._client: ApiClient | None = None

    # ---------------------------------------------------------------------------------------------------- life and end

    def start(self) -> Self:
        """Start what is not running and wait until the cluster is ready; idempotent.

        Raises AssetMissing where a program cannot be had, ComponentFailed where one ends or does not become ready.
        """
        self._programs = self._programs or Finder.from_environment(self._environ).find(
            CONTROL_PLANE, progress=self._progress
        )
        with self._locked():
            for tries_left in reversed(range(_START_TRIES)):
                found = {component for component, runs in self.running().items() if runs}
                try:
                    self._start()
                    break
                except ComponentFailed as failure:
                    if tries_left == 0 or not self._may_try_again(failure, found):
                        raise
        return self

    def stop(self, *, keep_data: bool = False) -> None:
        """End all processes and, unless `keep_data`, remove the cluster's folder; harmless where nothing runs."""
        if not self.layout.root.exists():
            return
        with self._locked():
            self._forget_client()
            state = ClusterState.read(self.layout.state)
            if state:
                # With the data goes the reason to let anybody finish.
                stop(state.processes.values(), grace_seconds=_STOP_GRACE_SECONDS if keep_data else 0.0)
                replace(state, processes={}).write(self.layout.state)
            if not keep_data:
                shutil.rmtree(self.layout.root)
        if not keep_data:
            self.layout.lock.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_ready(self, *, timeout_seconds: float = START_TIMEOUT_SECONDS) -> None:
        """Wait until the API server, the controllers and all nodes are ready; raises ComponentFailed if that fails."""
        readiness.wait_ready(self._probe(), nodes=self._state().nodes, timeout_seconds=timeout_seconds)

    # ------------------------------------------------------------------------------------------------------ components

    def stop_component(self, component: Component | str, *, grace_seconds: float = _STOP_GRACE_SECONDS) -> None:
        """End one component, gracefully unless `grace_seconds` is 0; the others stay as they are."""
        name = Component(component)
        with self._locked():
            state = self._state()
            if record := state.processes.get(name):
                stop([record], grace_seconds=grace_seconds)
            left = {other: record for other, record in state.processes.items() if other is not name}
            replace(state, processes=left).write(self.layout.state)

    def start_component(self, component: Component | str) -> None:
        """Start one component where it was, on its old port; does not wait for readiness (see `wait_ready`)."""
        with self._locked():
            self._spawn([Component(component)])

    def restart_apiserver(self, *, grace_seconds: float = 0.0) -> None:
        """End the API server and start it again, and wait until it answers."""
        self.stop_component(Component.APISERVER, grace_seconds=grace_seconds)
        self.start_component(Component.APISERVER)
        readiness.wait_apiserver(self._probe(), timeout_seconds=START_TIMEOUT_SECONDS)

    def running(self) -> dict[Component, bool]:
        """Which components run, whoever started them."""
        found = {part.name: part.pid is not None for part in self.status().components}
        return {component: found.get(component, False) for component in _COMPONENTS}

    def status(self) -> ClusterStatus:
        """How it is, whoever started it; changes nothing."""
        return inspect(self.name, self.layout)

    # ------------------------------------------------------------------------------------------------------- what it is

    @property
    def kubeconfig_path(self) -> Path:
        """The administrator's kubeconfig."""
        return self.layout.kubeconfig

    @property
    def audit_log_path(self) -> Path:
        """The API server's audit log, metadata only; `audit.read` reads it."""
        return self.layout.audit_log

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._plan(self._state()).server

    @property
    def client(self) -> ApiClient:
        """A synchronous client with the administrator's rights."""
        if self._client is None:
            self._client = ApiClient(kubeconfig.read(self.layout.kubeconfig))
        return self._client

    def program(self, name: str) -> Path:
        """The path of kubectl, kustomize, helm or another program of the registry, fetched where it is missing."""
        return Finder.from_environment(self._environ).find([name], progress=self._progress)[name]

    # -------------------------------------------------------------------------------------------------------- machinery

    def _start(self) -> None:
        state = self._prepare()
        missing = [component for component in _COMPONENTS if not self._is_alive(state, component)]
        # The clients would fail before the API server answers; starting them with it costs it the processor.
        self._spawn([component for component in missing if component not in CLIENTS])
        readiness.wait_apiserver(self._probe(), timeout_seconds=START_TIMEOUT_SECONDS)
        self._spawn([component for component in missing if component in CLIENTS])
        architecture = Platform.current().architecture
        for index in range(state.nodes):
            self.client.create("/api/v1/nodes", nodes.node(index, architecture=architecture))
        self.client.create("/apis/storage.k8s.io/v1/storageclasses", nodes.storage_class())
        self.wait_ready()

    def _may_try_again(self, failure: ComponentFailed, found: set[Component]) -> bool:
        """Whether another start may go better; makes way for it where components of this one stand there."""
        if isinstance(failure, PortTaken):
            stop(self._state().processes.values())
            return True
        # What was found alive may have been dying: then nobody has tried to start it yet.
        return any(not runs for component, runs in self.running().items() if component in found)

    def _prepare(self) -> ClusterState:
        """The state to start from: as recorded, or new; with new ports where an old one is taken by a stranger."""
        layout = self.layout
        layout.logs.mkdir(parents=True, exist_ok=True)
        layout.root.chmod(0o700)
        state = ClusterState.read(layout.state)
        if not (layout.pki / "sa.pub").exists():
            certificates.write_pki(layout.pki)
            layout.audit_policy.write_text(AUDIT_POLICY)
        if state is None:
            state = ClusterState(self.name, self.nodes, ports.choose(), self._lifetime)
        elif not self._ports_fit(state):
            stop(state.processes.values())
            state = replace(state, ports=ports.choose(avoid=state.ports.all()), processes={})
        living = {component: record for component, record in state.processes.items() if alive(record)}
        lifetime = state.lifetime if living else self._lifetime
        state = replace(state, nodes=max(state.nodes, self.nodes), lifetime=lifetime, processes=living)
        state.write(layout.state)
        self._write_kubeconfigs(state)
        return state

    def _ports_fit(self, state: ClusterState) -> bool:
        wanted = {
            Component.ETCD: (state.ports.etcd, state.ports.etcd_peer),
            Component.APISERVER: (state.ports.apiserver,),
        }
        return all(
            self._is_alive(state, component) or all(map(ports.is_free, numbers))
            for component, numbers in wanted.items()
        )

    def _write_kubeconfigs(self, state: ClusterState) -> None:
        self._forget_client()
        layout, server = self.layout, self._plan(state).server
        targets: dict[str, Path] = {
            "admin": layout.kubeconfig,
            **{name: layout.component_kubeconfig(name) for name in CLIENTS},
        }
        authority = layout.certificate("ca").read_bytes()
        for name, path in targets.items():
            access = kubeconfig.Access(
                server, authority, layout.certificate(name).read_bytes(), layout.key(name).read_bytes()
            )
            text = kubeconfig.render(name=f"trimtab-{self.name}", user=f"trimtab-{self.name}-{name}", access=access)
            kubeconfig.write(path, text)

    def _spawn(self, wanted: Iterable[Component]) -> None:
        state = self._state()
        plan = self._plan(state)
        # Nothing of the user's environment: proxies, KUBECONFIG and KWOK_* would change what the components do.
        environment = {"PATH": os.defpath, "HOME": str(self.layout.root)}
        records = dict(state.processes)
        for component in wanted:
            if self._is_alive(state, component):
                continue
            records[component] = spawn(
                argv(component, plan),
                log=self.layout.log(component),
                environment=environment,
                lifetime=self._lifetime,
            )
            replace(state, processes=records).write(self.layout.state)

    def _plan(self, state: ClusterState) -> Plan:
        return Plan(self.layout, state.ports, self._programs, self._arguments)

    def _probe(self) -> readiness.Probe:
        return readiness.Probe(self.client, self.layout, self._state().processes)

    def _is_alive(self, state: ClusterState, component: Component) -> bool:
        record = state.processes.get(component)
        return record is not None and alive(record)

    def _state(self) -> ClusterState:
        state = ClusterState.read(self.layout.state)
        if state is None:
            raise ClusterError(
                f"there is no cluster {self.name!r} in {self.layout.root}",
                remedy=f"start it with `trimtab cluster up --name {self.name}`",
            )
        return state

    def _forget_client(self) -> None:
        if self._client:
            self._client.close()
        self._client = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.layout.root.parent.mkdir(parents=True, exist_ok=True)
        with self.layout.lock.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield
