"""What can be said about a cluster from outside: which of its parts run, and whether it answers.

In: a cluster's files; out: a `ClusterStatus`, which the CLI prints. Nothing is started or changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from trimtab.localcluster import kubeconfig
from trimtab.localcluster.client import ApiClient
from trimtab.localcluster.components import Component
from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.layout import Layout, clusters_root
from trimtab.localcluster.processes import alive
from trimtab.localcluster.state import ClusterState


class Phase(StrEnum):
    """In what state a cluster is."""

    RUNNING = "Running"
    """Everything runs and the API server is ready."""
    DEGRADED = "Degraded"
    """Some of it runs, or all of it without being ready."""
    STOPPED = "Stopped"
    """Nothing runs, the data is there."""
    ABSENT = "Absent"
    """There is no such cluster."""


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One component: its pid while it runs."""

    name: str
    pid: int | None
    log: Path


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """One cluster; without a server and components where it is absent or run by another backend."""

    name: str
    backend: str
    phase: Phase
    folder: Path
    kubeconfig: Path | None = None
    server: str = ""
    nodes: int = 0
    components: tuple[ComponentStatus, ...] = ()

    def document(self) -> dict[str, Any]:
        """The status as JSON and YAML show it."""
        return {
            "name": self.name,
            "backend": self.backend,
            "phase": self.phase.value,
            "folder": str(self.folder),
            "kubeconfig": str(self.kubeconfig) if self.kubeconfig else None,
            "server": self.server or None,
            "nodes": self.nodes,
            "components": [
                {"name": part.name, "running": part.pid is not None, "pid": part.pid, "log": str(part.log)}
                for part in self.components
            ],
        }


LOCAL: Final = "local"


def inspect(name: str, layout: Layout) -> ClusterStatus:
    """The status of a local cluster."""
    state = ClusterState.read(layout.state)
    if state is None:
        return ClusterStatus(name, LOCAL, Phase.ABSENT, layout.root)
    parts = tuple(_component(component, state, layout) for component in Component)
    running = sum(part.pid is not None for part in parts)
    phase = Phase.STOPPED if running == 0 else Phase.DEGRADED
    if running == len(parts) and answers(layout.kubeconfig):
        phase = Phase.RUNNING
    server = kubeconfig.read(layout.kubeconfig).server if layout.kubeconfig.exists() else ""
    return ClusterStatus(name, LOCAL, phase, layout.root, layout.kubeconfig, server, state.nodes, parts)


def _component(component: Component, state: ClusterState, layout: Layout) -> ComponentStatus:
    record = state.processes.get(component)
    pid = record.pid if record and alive(record) else None
    return ComponentStatus(component.value, pid, layout.log(component))


def answers(path: Path) -> bool:
    """Whether the API server of a kubeconfig calls itself ready."""
    try:
        client = ApiClient(kubeconfig.read(path))
        client.get("/readyz")
    except ClusterError:
        return False
    client.close()
    return True


def names(environ: Mapping[str, str]) -> list[str]:
    """All local clusters that have data in the user's state folder, sorted."""
    root = clusters_root(environ)
    return sorted(path.parent.name for path in root.glob("*/state.json"))
