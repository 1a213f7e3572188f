"""Where the bench plays: a control plane, a Git server with one repository, and controllers that come and go.

Systems flow in, as files of the repository and as our own custom resources; what the API server shows of them, each
change with the moment of its arrival, flows out. `measures` and the steady-state test play on it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import aiohttp
from tests.bench import processes
from tests.bench.workload import Body

from trimtab.adapters.git.bare_repository import BareRepository
from trimtab.adapters.git.server import GitServer
from trimtab.adapters.kube.access import open_access
from trimtab.adapters.kube.connection import JSON, Connection, Request, encode_query
from trimtab.adapters.kube.lines import LineBuffer
from trimtab.adapters.kube.watch_events import Marked, read_event
from trimtab.api import application, git_repository
from trimtab.api.crd import crds
from trimtab.cli.demo.controller_process import ControllerProcess
from trimtab.core.api_error import ApiError
from trimtab.core.names import REQUESTED_AT_ANNOTATION
from trimtab.core.refs import ResourceType
from trimtab.localcluster import LocalCluster, audit

REPOSITORY: Final = "systems"
AGENT: Final = "trimtab/"
"""How the controller's User-Agent begins."""
MERGE: Final = "application/merge-patch+json"
_QUIET_CORES: Final = 0.15
_QUIET_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Change:
    """An object as a watch showed it, and when (`time.perf_counter`)."""

    body: Body
    at: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that outlives a controller."""

    cluster: LocalCluster
    connection: Connection
    repository: BareRepository
    git: GitServer
    folder: Path
    interval: str

    @classmethod
    @asynccontextmanager
    async def open(cls, cluster: LocalCluster, folder: Path, *, interval: str = "1m") -> AsyncIterator["Scene"]:
        """Serve a repository, polled every `interval`, and connect to a running cluster; our CRDs are installed."""
        repository = BareRepository.create(folder / "git" / f"{REPOSITORY}.git")
        access = await open_access(kubeconfig=str(cluster.kubeconfig_path), agent="bench")
        with GitServer(folder / "git") as git:
            async with Connection(access) as connection:
                scene = cls(cluster, connection, repository, git, folder, interval)
                await scene._install()
                yield scene

    async def _install(self) -> None:
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        query = encode_query({"fieldManager": "bench", "force": "true"})
        for crd in crds():
            name = crd["metadata"]["name"]
            request = Request("PATCH", f"{path}/{name}", query, crd, "application/apply-patch+yaml")
            await self.connection.send(request)
        for kind in (git_repository.RESOURCE, application.RESOURCE):
            await self._served(kind)

    async def _served(self, kind: ResourceType) -> None:
        """Wait until a kind of ours can be listed."""
        for _ in range(400):
            try:
                await self.version(kind.path())
                return
            except ApiError as error:
                if not error.not_found:
                    raise
            await asyncio.sleep(0.05)
        raise TimeoutError(f"{kind.plural} are not served 20 s after their definition was applied")

    # --- requests

    async def get(self, path: str) -> Any:
        """GET."""
        return await self.connection.send(Request("GET", path))

    async def version(self, collection: str) -> str:
        """The resourceVersion to watch a collection from."""
        page = await self.connection.send(Request("GET", collection, encode_query({"limit": "1"})))
        return str(page["metadata"]["resourceVersion"])

    async def create(self, path: str, body: Body) -> Any:
        """POST."""
        return await self.connection.send(Request("POST", path, body=body))

    async def patch(self, path: str, body: Any, *, media_type: str = MERGE, manager: str = "kubectl-edit") -> Any:
        """PATCH in the name of a field manager."""
        query = encode_query({"fieldManager": manager})
        return await self.connection.send(Request("PATCH", path, query, body, media_type))

    @asynccontextmanager
    async def watch(self, path: str, version: str, **selectors: str) -> AsyncIterator[AsyncIterator[Change]]:
        """The changes of a collection since a version; entered when the server has begun to send."""
        query = encode_query({"watch": "1", "resourceVersion": version, **selectors})
        async with self.connection.stream(Request("GET", path, query, accept=JSON), idle_seconds=600) as stream:
            yield _changes(stream)

    # --- our own objects

    @property
    def source(self) -> str:
        """The name of the GitRepository."""
        return self.repository.path.stem

    def of(self, repository: BareRepository) -> "Scene":
        """The same place with another repository, which lies beside the first one."""
        return replace(self, repository=repository)

    def commit(self, files: dict[str, str], message: str = "Change") -> str:
        """Commit files onto main; the revision that the controller will call it by."""
        return f"main@sha1:{self.repository.commit(files, message)}"

    async def declare(self, namespace: str, applications: Mapping[str, Body]) -> None:
        """Create the GitRepository and the Applications (name → spec without source), all at once."""
        source = {"url": f"{self.git.url}/{self.source}.git", "ref": {"branch": "main"}, "interval": self.interval}
        bodies: list[tuple[ResourceType, str, Body]] = [(git_repository.RESOURCE, self.source, source)]
        for name, spec in applications.items():
            bodies.append((application.RESOURCE, name, {"sourceRef": {"name": self.source}, **spec}))
        async with asyncio.TaskGroup() as group:
            for kind, name, spec in bodies:
                body = {
                    "apiVersion": kind.api_version,
                    "kind": kind.kind,
                    "metadata": {"name": name, "namespace": namespace},
                    "spec": spec,
                }
                group.create_task(self.create(kind.path(namespace), body))

    async def poke(self, namespace: str, mark: str) -> None:
        """Ask for a look at the repository at once."""
        annotations = {REQUESTED_AT_ANNOTATION: mark}
        path = git_repository.RESOURCE.path(namespace, self.source)
        await self.patch(path, {"metadata": {"annotations": annotations}}, manager="kubectl-annotate")

    async def namespace(self, name: str) -> None:
        """Make a namespace."""
        await self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def controller(self, namespace: str) -> ControllerProcess:
        """A controller for a namespace, with a data folder of its own, not yet started."""
        return ControllerProcess(
            namespace=namespace,
            kubeconfig=self.cluster.kubeconfig_path,
            kustomize=self.cluster.program("kustomize"),
            helm=self.cluster.program("helm"),
            folder=self.folder / namespace,
        )

    # --- rest

    async def settle(self) -> None:
        """Wait until the control plane has nothing left to do, a minute at most."""
        pids = [part.pid for part in self.cluster.status().components if part.pid is not None]
        deadline = time.monotonic() + _QUIET_SECONDS
        used = processes.cpu_seconds(iter(pids))
        while time.monotonic() < deadline:
            await asyncio.sleep(1.0)
            before, used = used, processes.cpu_seconds(iter(pids))
            if used - before < _QUIET_CORES:
                return

    def log_bytes(self) -> int:
        """How long the audit log is now."""
        return audit.end(self.cluster.audit_log_path)

    def requests_since(self, start_bytes: int) -> list[audit.AuditedRequest]:
        """What controllers asked since then, without Leases; watches are among them."""
        found, _ = audit.read(self.cluster.audit_log_path, start_bytes=start_bytes)
        return [each for each in found if each.user_agent.startswith(AGENT) and each.resource != _LEASES]

    async def quiet(self, *, seconds: float, limit_seconds: float = 60.0) -> None:
        """Wait until controllers have asked nothing for so long. Raises TimeoutError."""
        async with asyncio.timeout(limit_seconds):
            while True:
                start_bytes = self.log_bytes()
                await asyncio.sleep(seconds)
                if not self.requests_since(start_bytes):
                    return


_LEASES: Final = "leases.coordination.k8s.io"


async def _changes(stream: aiohttp.StreamReader) -> AsyncIterator[Change]:
    lines = LineBuffer()
    while chunk := await stream.readany():
        now = time.perf_counter()
        for line in lines.feed(chunk):
            event = read_event(line)
            if not isinstance(event, Marked):
                yield Change(event.body, now)


def condition(body: Body, name: str) -> bool:
    """Whether a condition of this generation is True."""
    generation = body["metadata"]["generation"]
    conditions = body.get("status", {}).get("conditions") or ()
    return any(
        each["type"] == name and each["status"] == "True" and each.get("observedGeneration", generation) == generation
        for each in conditions
    )
