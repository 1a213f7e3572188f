"""Waiting until a cluster can be used, and saying why where it does not come to that.

In: a `Probe` (client, files, processes); out: nothing, or ComponentFailed with the end of the log that explains it.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from trimtab.localcluster.client import ApiClient, ApiFailure, ApiUnreachable
from trimtab.localcluster.components import Component
from trimtab.localcluster.errors import ComponentFailed, PortTaken
from trimtab.localcluster.layout import Layout
from trimtab.localcluster.nodes import is_ready
from trimtab.localcluster.processes import ProcessRecord, alive

_POLL_SECONDS: Final = 0.05
_LOG_LINES: Final = 15


@dataclass(frozen=True, slots=True)
class Probe:
    """What has to be looked at: the API by `client`, each of `processes` for life, logs below `layout`."""

    client: ApiClient
    layout: Layout
    processes: Mapping[Component, ProcessRecord]


def log_tail(layout: Layout, component: Component) -> str:
    """The last lines that a component wrote; empty where it wrote none."""
    try:
        with layout.log(component).open(errors="replace") as stream:
            return "".join(deque(stream, maxlen=_LOG_LINES))
    except OSError:
        return ""


def wait_apiserver(probe: Probe, *, timeout_seconds: float) -> None:
    """Wait until the API server calls itself ready. Raises ComponentFailed, PortTaken where a port was the reason."""
    _wait(probe, lambda: _apiserver_ready(probe), what="the API server", timeout_seconds=timeout_seconds)


def wait_ready(probe: Probe, *, nodes: int, timeout_seconds: float) -> None:
    """Wait for the API server, the controllers (a default ServiceAccount shows them) and that many ready nodes."""
    deadline = time.monotonic() + timeout_seconds
    wait_apiserver(probe, timeout_seconds=timeout_seconds)
    checks: dict[str, Callable[[], bool]] = {
        "the controller manager": lambda: _exists(probe, "/api/v1/namespaces/default/serviceaccounts/default"),
        f"{nodes} ready nodes": lambda: _ready_nodes(probe) >= nodes,
    }
    for what, check in checks.items():
        _wait(probe, check, what=what, timeout_seconds=max(0.0, deadline - time.monotonic()))


def _wait(probe: Probe, check: Callable[[], bool], *, what: str, timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not check():
        _check_alive(probe)
        if time.monotonic() > deadline:
            raise ComponentFailed(
                f"{what} did not become ready within {timeout_seconds:.0f} seconds",
                remedy=f"the logs in {probe.layout.logs} say why",
            )
        time.sleep(_POLL_SECONDS)


def _check_alive(probe: Probe) -> None:
    for component, record in probe.processes.items():
        if alive(record):
            continue
        tail = log_tail(probe.layout, component)
        kind = PortTaken if "address already in use" in tail else ComponentFailed
        raise kind(f"{component} has ended; its log ends with:\n{tail}", remedy=f"see {probe.layout.log(component)}")


def _apiserver_ready(probe: Probe) -> bool:
    try:
        probe.client.get("/readyz")
    except (ApiFailure, ApiUnreachable):
        return False
    return True


def _exists(probe: Probe, path: str) -> bool:
    try:
        probe.client.get(path)
    except (ApiFailure, ApiUnreachable):
        return False
    return True


def _ready_nodes(probe: Probe) -> int:
    try:
        answer = probe.client.get("/api/v1/nodes")
    except (ApiFailure, ApiUnreachable):
        return 0
    return sum(is_ready(node) for node in answer["items"])
