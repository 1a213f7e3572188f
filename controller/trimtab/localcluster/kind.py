"""The second backend: kind, which runs a cluster in Docker containers, by way of pytest-kind.

In: a name and a number of nodes; out: the same as from `cluster.LocalCluster`, so that callers need not know which it
is. kind is taken from PATH; where it is not there, pytest-kind downloads the version that KIND_VERSION names.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

from trimtab.localcluster import kubeconfig
from trimtab.localcluster.assets import Finder
from trimtab.localcluster.client import ApiClient
from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.layout import Layout, check_name, kind_root
from trimtab.localcluster.progress import Progress, Silent
from trimtab.localcluster.status import ClusterStatus, Phase, answers

NAME_PREFIX: Final = "trimtab-"
BACKEND: Final = "kind"


def kind_config(nodes: int) -> dict[str, Any]:
    """What `kind create cluster --config` reads: one control plane and that many workers."""
    workers = [{"role": "worker"} for _ in range(nodes)]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane"}, *workers],
    }


class KindBackend:
    """A kind cluster under the name `trimtab-<name>`; needs Docker, and `pip install pytest-kind`.

    The nodes run the image that TRIMTAB_KIND_IMAGE names, else the one that kind itself prefers.
    `driver` makes the object that creates and deletes it, by default `pytest_kind.KindCluster`.
    """

    def __init__(
        self,
        *,
        name: str = "default",
        nodes: int = 1,
        folder: Path | None = None,
        progress: Progress | None = None,
        environ: Mapping[str, str] | None = None,
        driver: Any = None,
    ) -> None:
        self.name = check_name(name)
        self.nodes = nodes
        self._environ = os.environ if environ is None else environ
        self.layout = Layout((folder or kind_root(self._environ) / name).absolute())
        self._progress: Progress = progress or Silent()
        self._driver = driver
        self._client: ApiClient | None = None

    @property
    def kubeconfig_path(self) -> Path:
        """The administrator's kubeconfig."""
        return self.layout.kubeconfig

    @property
    def client(self) -> ApiClient:
        """A synchronous client with the administrator's rights."""
        if self._client is None:
            self._client = ApiClient(kubeconfig.read(self.layout.kubeconfig))
        return self._client

    def start(self) -> Self:
        """Create the cluster, or take the one that is there. Raises ClusterError where Docker or kind fails."""
        self.layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = self.layout.root / "kind.yaml"
        config.write_text(yaml.safe_dump(kind_config(self.nodes), sort_keys=False))
        with self._progress.step(f"creating the kind cluster {NAME_PREFIX}{self.name}"), self._driving() as driver:
            driver.create(config)
        return self

    def stop(self) -> None:
        """Delete the cluster and its data."""
        if not self.layout.root.exists():
            return
        if self._client:
            self._client.close()
            self._client = None
        with self._driving() as driver:
            driver.delete()
        shutil.rmtree(self.layout.root)

    def status(self) -> ClusterStatus:
        """Whether it is there and answers; what its containers do is for `docker ps` to say."""
        root, path = self.layout.root, self.layout.kubeconfig
        if not path.exists():
            return ClusterStatus(self.name, BACKEND, Phase.ABSENT, root)
        phase = Phase.RUNNING if answers(path) else Phase.STOPPED
        return ClusterStatus(self.name, BACKEND, phase, root, path, kubeconfig.read(path).server, self.nodes)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def program(self, name: str) -> Path:
        """The path of kubectl, kustomize or helm, fetched where it is missing."""
        return Finder.from_environment(self._environ).find([name], progress=self._progress)[name]

    @contextmanager
    def _driving(self) -> Iterator[Any]:
        """The object that drives kind, inside the cluster's folder: it makes a folder of its own where it is."""
        with chdir(self.layout.root):
            driver = self._make_driver()
            try:
                yield driver
            except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
                raise ClusterError(f"kind failed: {error}", remedy="see that `docker info` works") from error

    def _make_driver(self) -> Any:
        arguments = {
            "kubeconfig": self.layout.kubeconfig,
            "image": self._environ.get("TRIMTAB_KIND_IMAGE"),
            "kind_path": _on_path("kind", self._environ),
            "kubectl_path": _on_path("kubectl", self._environ),
        }
        driver = self._driver or _kind_cluster()
        return driver(f"{NAME_PREFIX}{self.name}", **arguments)


def _on_path(program: str, environ: Mapping[str, str]) -> Path | None:
    found = shutil.which(program, path=environ.get("PATH"))
    return Path(found) if found else None


def _kind_cluster() -> Any:
    try:
        from pytest_kind import KindCluster
    except ImportError as error:
        raise ClusterError("pytest-kind is not installed", remedy="pip install pytest-kind") from error
    if shutil.which("docker") is None and shutil.which("podman") is None:
        raise ClusterError("kind needs Docker, which is not here", remedy="install Docker, or use --backend local")
    return KindCluster
