"""What every kind of cluster can do, whoever runs it.

The CLI, the demo and the test fixtures work against `Cluster`; `cluster.LocalCluster` and `kind.KindBackend` are it.
"""

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from trimtab.localcluster.client import ApiClient
from trimtab.localcluster.status import ClusterStatus


class Cluster(Protocol):
    """A cluster that can be started and stopped, and reached by a kubeconfig."""

    @property
    def name(self) -> str:
        """Its name among the clusters of its kind."""

    @property
    def kubeconfig_path(self) -> Path:
        """The administrator's kubeconfig."""

    @property
    def client(self) -> ApiClient:
        """A synchronous client with the administrator's rights."""

    def start(self) -> Self:
        """Start it where it does not run, and wait until it is ready."""

    def stop(self) -> None:
        """End it and remove its data."""

    def status(self) -> ClusterStatus:
        """How it is, without changing anything."""

    def program(self, name: str) -> Path:
        """The path of kubectl or another program, fetched where it is missing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None: ...
