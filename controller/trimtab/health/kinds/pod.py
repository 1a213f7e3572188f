"""Health of bare Pods: ready, done, or the reason of the container that cannot run. Called through the table."""

from collections.abc import Iterator
from typing import Any, Final

from trimtab.health.conditions import conditions_of, status_of
from trimtab.health.status import Health, current, failed, in_progress

_HOPELESS: Final = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons for waiting that do not pass by waiting: the image, the configuration or the program must change."""


def assess(body: dict[str, Any]) -> Health:
    """Failed on crash loops, images that cannot be pulled and the phase Failed; Current when Ready or Succeeded."""
    status = status_of(body)
    phase = status.get("phase")
    if phase == "Succeeded":
        return current("ran to its end")
    if phase == "Failed":
        return failed(_why_failed(status))
    for container in _containers(status):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _HOPELESS:
            return failed(_say(container, waiting))
    conditions = conditions_of(status)
    ready = conditions.get("Ready")
    if ready and ready.true:
        return current()
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.false:
        return in_progress(str(scheduled))
    return in_progress(str(ready) if ready and str(ready) else f"phase {phase or 'not set'}")


def _containers(status: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from status.get("initContainerStatuses") or []
    yield from status.get("containerStatuses") or []


def _why_failed(status: dict[str, Any]) -> str:
    said = ": ".join(part for part in (status.get("reason"), status.get("message")) if part)
    if said:
        return said
    for container in _containers(status):
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            return f"{_say(container, ended)} (exit code {ended['exitCode']})"
    return "the pod failed"


def _say(container: dict[str, Any], state: dict[str, Any]) -> str:
    said = ": ".join(part for part in (state.get("reason"), state.get("message")) if part)
    return f"container {container['name']}: {said}"
