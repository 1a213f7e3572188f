"""A stage for tests of drift: a controller of its own, a git server, and quick ways to ask and to change the cluster.

A cluster and a folder flow in. Statuses, metrics, Events and audited requests of the controller flow out, as plain
dicts. The end-to-end tests of drift, the corpus and the campaign play on it.
"""

import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.fixtures.cluster import Kubectl, wait_for

from trimtab.adapters.git.bare_repository import BareRepository, Content
from trimtab.adapters.git.server import GitServer
from trimtab.api.crd import KINDS, crd
from trimtab.cli.demo.controller_process import ControllerProcess
from trimtab.core.names import REQUESTED_AT_ANNOTATION
from trimtab.localcluster import LocalCluster, audit
from trimtab.localcluster.audit import AuditedRequest
from trimtab.localcluster.client import ApiFailure

MERGE: Final = "application/merge-patch+json"
OWN: Final = "/apis/trimtab.dev/v1alpha1/namespaces/{namespace}/{plural}"
_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_OWN_OBJECTS: Final = ("events", "applications.trimtab.dev", "gitrepositories.trimtab.dev", "inventories.trimtab.dev")

Files = Mapping[str, Content]


def corpus_folder() -> Path:
    """Where the manifests of other projects are, if anywhere."""
    beside = Path(__file__).parents[3] / "shared" / "corpus"
    return Path(os.environ.get("TRIMTAB_CORPUS") or beside)


def files_below(folder: Path, *names: str) -> dict[str, Content]:
    """The files below `folder` (only those of the subfolders or files `names`, where given), by their path in it."""
    chosen = [folder / name for name in names] or [folder]
    paths = [path for start in chosen for path in ([start] if start.is_file() else sorted(start.rglob("*")))]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


class Lab:
    """Use as a context manager, or `start` and `close` it. The controller starts with the first `start_controller`."""

    def __init__(self, cluster: LocalCluster, folder: Path) -> None:
        self.cluster = cluster
        self.client = cluster.client
        self.kubectl = Kubectl(cluster)
        self.namespace = f"lab-{secrets.token_hex(4)}"
        self._git_folder = folder / f"git-{self.namespace}"
        self._git_folder.mkdir(parents=True)
        self.git = GitServer(self._git_folder)
        self.controller = ControllerProcess(
            namespace=self.namespace,
            kubeconfig=cluster.kubeconfig_path,
            kustomize=cluster.program("kustomize"),
            helm=cluster.program("helm"),
            folder=folder / f"controller-{self.namespace}",
        )
        self._audit_bytes = audit.end(cluster.audit_log_path)
        self._paths: dict[tuple[str, str], tuple[str, bool]] = {}

    def start(self) -> Self:
        """Install the CRDs, make the controller's namespace, serve Git and start the controller."""
        for kind in KINDS:
            self.client.create(_CRDS, crd(kind))
        wait_for(self._established, what="our CRDs")
        self.client.create("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        self.git.start()
        self.controller.start()
        return self

    def close(self) -> None:
        """Stop what was started; what was applied stays."""
        self.controller.stop()
        self.git.stop()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _established(self) -> bool:
        names = {kind.crd_name for kind in KINDS}
        found = [each for each in self.client.get(_CRDS)["items"] if each["metadata"]["name"] in names]
        conditions = [found["status"].get("conditions") or () for found in found]
        return all(any(c["type"] == "Established" and c["status"] == "True" for c in listed) for listed in conditions)

    # --- Git and our own objects

    def repository(self, name: str, files: Files, *, interval: str = "1h") -> BareRepository:
        """A served repository with one commit, and its GitRepository."""
        repository = BareRepository.create(self._git_folder / f"{name}.git")
        repository.commit(files, f"Begin {name}")
        self.create_own("gitrepositories", name, {"url": f"{self.git.url}/{name}.git", "interval": interval})
        return repository

    def application(self, name: str, source: str, path: str = ".", target: str = "", **spec: Any) -> None:
        """An Application; `target` is its targetNamespace, which is made."""
        told = {"targetNamespace": target, "createNamespace": True} if target else {}
        told |= {"sourceRef": {"name": source}, "path": path, "prune": True}
        self.create_own("applications", name, told | spec)

    def create_own(self, plural: str, name: str, spec: Mapping[str, Any]) -> None:
        """Create a GitRepository or an Application."""
        kind = {"gitrepositories": "GitRepository", "applications": "Application"}[plural]
        body = {"apiVersion": "trimtab.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.client.request("POST", OWN.format(namespace=self.namespace, plural=plural), body)

    def change_application(self, name: str, patch: Mapping[str, Any]) -> None:
        """Merge a patch into an Application."""
        self.client.request("PATCH", self._own("applications", name), patch, media_type=MERGE)

    def poke(self, name: str, *, plural: str = "gitrepositories") -> None:
        """Ask for a reconciliation now."""
        patch = {"metadata": {"annotations": {REQUESTED_AT_ANNOTATION: secrets.token_hex(4)}}}
        self.client.request("PATCH", self._own(plural, name), patch, media_type=MERGE)

    def commit(self, repository: BareRepository, files: Files, *applications: str) -> str:
        """Commit, poke the source, and wait until the Applications have applied it."""
        sha = repository.commit(files)
        self.poke(repository.path.stem)
        for name in applications:
            self.wait_applied(name, sha)
        return sha

    def _own(self, plural: str, name: str) -> str:
        return f"{OWN.format(namespace=self.namespace, plural=plural)}/{name}"

    # --- what is told

    def application_body(self, name: str) -> dict[str, Any]:
        """The Application as it is."""
        found: dict[str, Any] = self.client.get(self._own("applications", name))
        return found

    def status(self, name: str) -> dict[str, Any]:
        """Its status, empty before there is one."""
        found: dict[str, Any] = self.application_body(name).get("status") or {}
        return found

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """One condition of it, empty before it is there."""
        return next((each for each in self.status(name).get("conditions") or () if each["type"] == kind), {})

    def drift(self, name: str) -> list[dict[str, Any]]:
        """The drift that its status shows."""
        return list(self.status(name).get("drift") or ())

    def standing(self, name: str) -> list[dict[str, Any]]:
        """The drift that stands."""
        return [each for each in self.drift(name) if "corrected" not in each]

    def events(self, name: str, reason: str = "") -> list[dict[str, Any]]:
        """The Events about an Application."""
        listed = self.client.get(f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events")["items"]
        return [each for each in listed if each["regarding"]["name"] == name and reason in ("", each["reason"])]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's series that carry these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", self.controller.metrics(), re.MULTILINE)
        return sum(float(value) for series, value in lines if all(each in series for each in wanted))

    def wait_applied(self, name: str, sha: str, *, timeout_seconds: float = 60.0) -> dict[str, Any]:
        """Wait until a commit is fully applied; the status then. Fails with the Application's own words."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            ready, revision = self.condition(name, "Ready"), self.status(name).get("lastAppliedRevision", "")
            if revision.endswith(sha) and ready.get("status") == "True":
                return self.status(name)
            assert time.monotonic() < deadline, f"{name} did not apply {sha[:8]}: {ready}"
            time.sleep(0.05)

    def wait_true(self, name: str, kind: str, *, timeout_seconds: float = 60.0) -> dict[str, Any]:
        """Wait for a condition to be True."""
        deadline = time.monotonic() + timeout_seconds
        while (found := self.condition(name, kind)).get("status") != "True":
            assert time.monotonic() < deadline, f"{kind} of {name} did not become True: {found}"
            time.sleep(0.05)
        return found

    # --- the cluster

    def path(self, api_version: str, kind: str, namespace: str, name: str) -> str:
        """The URL path of an object."""
        group = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        if (api_version, kind) not in self._paths:
            for each in self.client.get(group)["resources"]:
                if "/" not in each["name"]:
                    self._paths[api_version, each["kind"]] = each["name"], each["namespaced"]
        plural, namespaced = self._paths[api_version, kind]
        return f"{group}/namespaces/{namespace}/{plural}/{name}" if namespaced else f"{group}/{plural}/{name}"

    def live(self, path: str) -> dict[str, Any] | None:
        """The object at a path, None where there is none."""
        try:
            found: dict[str, Any] = self.client.get(path)
        except ApiFailure as failure:
            if failure.status == 404:
                return None
            raise
        return found

    def requests(self) -> list[AuditedRequest]:
        """What the controller asked the API server for since the last call, watches and Leases left out."""
        found, self._audit_bytes = audit.read(self.cluster.audit_log_path, start_bytes=self._audit_bytes)
        return [
            each
            for each in found
            if each.user_agent.startswith("trimtab/")
            and each.verb != "watch"
            and each.resource != "leases.coordination.k8s.io"
        ]

    def wait_quiet(self, *, seconds: float = 1.0, timeout_seconds: float = 90.0) -> None:
        """Wait until the controller asks for nothing during `seconds`."""
        deadline = time.monotonic() + timeout_seconds
        self.requests()
        while True:
            time.sleep(seconds)
            asked = self.requests()
            if not asked:
                return
            assert time.monotonic() < deadline, f"no rest in {timeout_seconds:.0f} s: {asked[-3:]}"


def eventually(check: Callable[[], Any], *, seconds: float = 60.0) -> None:
    """Call a check until it asserts nothing more; its last complaint fails the test."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            check()
            return
        except (AssertionError, LookupError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
