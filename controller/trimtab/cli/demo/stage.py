"""What the story is told on: a control plane, a git server and the controller, all on loopback, gone with the demo.

Programs are found or fetched; a `Stage` flows out, whose parts the acts use. Nothing is left behind when it is left.
"""

import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import yaml

from trimtab.adapters.git.bare_repository import BareRepository
from trimtab.adapters.git.server import GitServer
from trimtab.api.crd import KINDS, crd
from trimtab.cli.demo import shop
from trimtab.cli.demo.controller_process import ControllerProcess
from trimtab.core.names import DEFAULT_NAMESPACE
from trimtab.localcluster import ClusterError, LocalCluster
from trimtab.localcluster.progress import Progress

NAMESPACE: Final = DEFAULT_NAMESPACE
OVERLAYS: Final = ("staging", "production")
_REPOSITORY: Final = "shop"
_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ESTABLISH_SECONDS: Final = 30.0
_KUBECTL_SECONDS: Final = 60.0


class Stage:
    """A context manager; `times` holds how many seconds each part took to be ready."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="trimtab-demo-"))
        self.times: dict[str, float] = {}
        self.cluster: LocalCluster
        self.controller: ControllerProcess
        self.repository: BareRepository
        self.git: GitServer

    def __enter__(self) -> Self:
        try:
            self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        started = time.monotonic()
        # As the programs may have to be built, nothing is started before all of them are there.
        self.cluster = LocalCluster(name="demo", folder=self.folder / "cluster", progress=self._progress)
        self.kubectl_path = self.cluster.program("kubectl")
        kustomize, helm = self.cluster.program("kustomize"), self.cluster.program("helm")
        with ThreadPoolExecutor(1) as helper:
            repository = helper.submit(shop.create, self.folder / "git" / "shop.git")
            self._stack.enter_context(self.cluster)
            self.repository = repository.result()
        self.times["control plane"] = time.monotonic() - started
        self.git = self._stack.enter_context(GitServer(self.folder / "git"))
        started = time.monotonic()
        self._prepare_cluster()
        self.controller = ControllerProcess(
            namespace=NAMESPACE,
            kubeconfig=self.cluster.kubeconfig_path,
            kustomize=kustomize,
            helm=helm,
            folder=self.folder / "controller",
        )
        self._stack.enter_context(self.controller)
        self.times["controller"] = time.monotonic() - started

    def _prepare_cluster(self) -> None:
        """The CRDs and the controller's namespace."""
        client = self.cluster.client
        client.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        for kind in KINDS:
            client.create(_CRDS, crd(kind))
        deadline = time.monotonic() + _ESTABLISH_SECONDS
        for kind in KINDS:
            while not _established(client.get(f"{_CRDS}/{kind.crd_name}")):
                if time.monotonic() > deadline:
                    raise ClusterError(f"the CRD {kind.crd_name} was not established in {_ESTABLISH_SECONDS:.0f} s")
                time.sleep(0.05)

    @property
    def url(self) -> str:
        """Address of the shop's repository."""
        return f"{self.git.url}/{_REPOSITORY}.git"

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What the real kubectl prints. Raises ClusterError where it fails."""
        done = subprocess.run(
            [str(self.kubectl_path), f"--kubeconfig={self.cluster.kubeconfig_path}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={"PATH": os.defpath, "HOME": str(self.folder)},
            timeout=_KUBECTL_SECONDS,
            check=False,
        )
        if done.returncode:
            raise ClusterError(f"kubectl {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def manifests(self) -> str:
        """The repository and its two Applications, as YAML to be applied."""
        return yaml.safe_dump_all([self._git_repository(), *map(self._application, OVERLAYS)], sort_keys=False)

    def _git_repository(self) -> dict[str, object]:
        # A second suits a server on this machine; elsewhere a webhook or a longer interval does.
        spec = {"url": self.url, "ref": {"branch": "main"}, "interval": "1s"}
        return {
            "apiVersion": "trimtab.dev/v1alpha1",
            "kind": "GitRepository",
            "metadata": {"name": _REPOSITORY, "namespace": NAMESPACE},
            "spec": spec,
        }

    @staticmethod
    def _application(overlay: str) -> dict[str, object]:
        return {
            "apiVersion": "trimtab.dev/v1alpha1",
            "kind": "Application",
            "metadata": {"name": f"shop-{overlay}", "namespace": NAMESPACE},
            "spec": {
                "sourceRef": {"name": _REPOSITORY},
                "path": f"overlays/{overlay}",
                "targetNamespace": f"shop-{overlay}",
                "createNamespace": True,
                "prune": True,
                "wait": True,
            },
        }


def _established(body: dict[str, object]) -> bool:
    status = body.get("status")
    conditions = status.get("conditions") or () if isinstance(status, dict) else ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
