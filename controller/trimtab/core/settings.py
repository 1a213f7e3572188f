"""The controller's settings: flags and environment in, one frozen value out, read by wiring and the loop."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trimtab.core.names import DEFAULT_NAMESPACE

WATCH_IDLE_SECONDS: Final = 150.0
WATCH_STALE_SECONDS: Final = 420.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How one controller process runs. Addresses are `host:port`; an empty one switches the server off."""

    namespace: str = DEFAULT_NAMESPACE
    kubeconfig: Path | None = None
    context: str | None = None
    metrics_bind_address: str = "127.0.0.1:8080"
    health_bind_address: str = "127.0.0.1:8081"
    data_dir: Path = field(default_factory=lambda: Path("/var/lib/trimtab"))
    kustomize: Path | None = None
    """The kustomize program; None: found on PATH."""
    helm: Path | None = None
    """The helm program; None: found on PATH."""
    sops: Path | None = None
    """The sops program; None: found on PATH when it is needed."""
    concurrency: int = 32
    """Reconciliations at the same time. Most of the time they wait: few would keep others from healing meanwhile."""
    applies_in_flight: int = 32
    """Requests of one apply run at the same time."""
    backoff_min_seconds: float = 1.0
    watch_idle_seconds: float = WATCH_IDLE_SECONDS
    """Silence after which a watch is taken for cut and opened anew; the server sends a bookmark about every minute."""
    watch_stale_seconds: float = WATCH_STALE_SECONDS
    """Without a sign of life for so long, a watch counts as dead and livez fails."""
    source_networks: tuple[str, ...] = ()
    """Networks with other than public addresses where sources outside the controller's namespace may be."""
    restrict_sources: bool = False
    """Hold the sources of the controller's own namespace to public addresses and `source_networks`, too."""
