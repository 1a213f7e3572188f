"""What is kept on disk about a cluster between commands: ports, nodes, processes.

`cluster` writes it after each change and reads it when it is asked about a cluster that another process started.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from trimtab.localcluster.components import Component
from trimtab.localcluster.ports import Ports
from trimtab.localcluster.processes import Lifetime, ProcessRecord

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One cluster as last recorded; `processes` may have ended since, and lacks those stopped on purpose."""

    name: str
    nodes: int
    ports: Ports
    lifetime: Lifetime
    processes: Mapping[Component, ProcessRecord] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it in one step."""
        document = {"format": _FORMAT, **dataclasses.asdict(self)}
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(document, indent=2) + "\n")
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> "ClusterState | None":
        """The recorded state; None where there is none, or none that this version understands."""
        try:
            document: dict[str, Any] = json.loads(path.read_text())
            if document["format"] != _FORMAT:
                return None
            processes = {Component(name): ProcessRecord(**record) for name, record in document["processes"].items()}
            return cls(
                document["name"],
                document["nodes"],
                Ports(**document["ports"]),
                Lifetime(document["lifetime"]),
                processes,
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
