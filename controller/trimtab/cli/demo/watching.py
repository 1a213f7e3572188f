"""How the two Applications fare at this moment, read by the demo's own client, apart from the controller's requests.

A `Stage` flows in; `View`s flow out, until one shows what an act waits for.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from trimtab.api.application import HEALTHY, READY, RESOURCE, Application, ApplicationStatus
from trimtab.api.model import ConditionStatus
from trimtab.cli.demo.stage import NAMESPACE, Stage
from trimtab.localcluster import ClusterError
from trimtab.localcluster.client import ApiFailure, ApiUnreachable

STEP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class View:
    """The Applications by name."""

    applications: dict[str, Application]

    def status(self, name: str) -> ApplicationStatus:
        """The status of one; an empty one before it is there."""
        found = self.applications.get(name)
        return found.status if found else ApplicationStatus()

    def applied(self, sha: str, *names: str) -> bool:
        """Whether these (all, where none are named) have applied that commit in full and are ready and healthy."""
        wanted = names or tuple(self.applications)
        return bool(wanted) and all(
            (self.status(name).last_applied_revision or "").endswith(sha)
            and _is_true(self.status(name), READY)
            and _is_true(self.status(name), HEALTHY)
            for name in wanted
        )


def view(stage: Stage) -> View:
    """The Applications as they are now."""
    items = stage.cluster.client.get(RESOURCE.path(NAMESPACE))["items"]
    return View({body["metadata"]["name"]: Application.parse(body) for body in items})


def views(stage: Stage, what: str, *, timeout_seconds: float = STEP_SECONDS) -> Iterator[View]:
    """Views without end, a little time between them. Raises ClusterError when time is up or the controller ended."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        if not stage.controller.running:
            raise ClusterError(f"the controller ended: {stage.controller.log()[-2000:]}")
        seen = view(stage)
        if time.monotonic() > deadline:
            raise ClusterError(f"{what} did not happen within {timeout_seconds:.0f} s: {_state(seen)}")
        yield seen
        time.sleep(_POLL_SECONDS)


def until(stage: Stage, what: str, check: Callable[[], bool]) -> None:
    """Wait for something in the cluster itself. Raises ClusterError when time is up."""
    for _ in views(stage, what):
        if check():
            return


def live(stage: Stage, path: str) -> dict[str, Any] | None:
    """The live object at an API path, None where there is none."""
    try:
        body: dict[str, Any] = stage.cluster.client.get(path)
    except (ApiFailure, ApiUnreachable) as failure:
        if isinstance(failure, ApiFailure) and failure.status == 404:
            return None
        raise
    return body


def _is_true(status: ApplicationStatus, kind: str) -> bool:
    condition = status.condition(kind)
    return condition is not None and condition.status is ConditionStatus.TRUE


def _state(seen: View) -> str:
    parts = []
    for name, application in seen.applications.items():
        ready = application.status.condition(READY)
        parts.append(f"{name}: {ready.message if ready else 'no status yet'}")
    return "; ".join(parts) or "there are no Applications"
