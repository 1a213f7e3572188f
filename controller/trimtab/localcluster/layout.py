"""Where a cluster keeps what: names of files below its folder, and the folder of all clusters.

Used by everything that reads or writes a cluster's data; touches no file itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from trimtab.localcluster.errors import ClusterError

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def clusters_root(environ: Mapping[str, str]) -> Path:
    """The folder of all named clusters: `$XDG_STATE_HOME/trimtab/clusters`, else in the platform's own place."""
    return _state_root(environ) / "clusters"


def kind_root(environ: Mapping[str, str]) -> Path:
    """The folder for what we keep about kind clusters, beside the other."""
    return _state_root(environ) / "kind"


def _state_root(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_STATE_HOME")
    return Path(base) / "trimtab" if base else platformdirs.user_state_path("trimtab")


def check_name(name: str) -> str:
    """The name, where it can be part of a path and of a context's name; raises ClusterError otherwise."""
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"{name!r} cannot be the name of a cluster",
            remedy="use 1 to 40 lower-case letters, digits and inner dashes",
        )
    return name


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one cluster below `root`."""

    root: Path

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.root / "pki"

    @property
    def etcd_data(self) -> Path:
        """What etcd stores."""
        return self.root / "etcd"

    @property
    def logs(self) -> Path:
        """One log file for each component."""
        return self.root / "logs"

    @property
    def audit_log(self) -> Path:
        """One JSON line for each request that the API server has answered."""
        return self.root / "audit.log"

    @property
    def audit_policy(self) -> Path:
        """What the API server records."""
        return self.root / "audit-policy.yaml"

    @property
    def state(self) -> Path:
        """Ports and processes."""
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        """Held while a cluster is started or stopped; beside the folder, which a stop removes."""
        return self.root.with_name(f".{self.root.name}.lock")

    @property
    def kubeconfig(self) -> Path:
        """The user's kubeconfig."""
        return self.root / "kubeconfig"

    def component_kubeconfig(self, name: str) -> Path:
        """The kubeconfig of a component."""
        return self.root / f"{name}.kubeconfig"

    def log(self, name: str) -> Path:
        """The log of a component."""
        return self.logs / f"{name}.log"

    def certificate(self, name: str) -> Path:
        """A certificate."""
        return self.pki / f"{name}.crt"

    def key(self, name: str) -> Path:
        """A private key."""
        return self.pki / f"{name}.key"
