"""Health of StatefulSets: every replica ready, and updated as far as the partition asks. Called through the table."""

from typing import Any

from trimtab.health.conditions import spec_of, status_of, unobserved
from trimtab.health.status import Health, current, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current when the replicas are available and the rolling update, if that is the strategy, has come through."""
    if behind := unobserved(body):
        return behind
    spec, status = spec_of(body), status_of(body)
    if "observedGeneration" not in status:
        return in_progress("its controller has not seen it yet")
    wanted = spec.get("replicas", 1)
    # Servers before 1.25 leave availableReplicas out where minReadySeconds is 0; ready says the same then.
    available = status.get("availableReplicas", status.get("readyReplicas", 0))
    if available < wanted:
        return in_progress(f"{available} of {wanted} replicas available")
    if (extra := status.get("replicas", 0) - wanted) > 0:
        return in_progress(f"{extra} replicas too many still to end")
    return _rollout(spec, status, wanted) or current(f"{available} of {wanted} replicas available")


def _rollout(spec: dict[str, Any], status: dict[str, Any], wanted: int) -> Health | None:
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return None
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    updated = status.get("updatedReplicas", 0)
    if partition:
        to_update = max(0, wanted - partition)
        return in_progress(f"{updated} of {to_update} replicas updated") if updated < to_update else None
    if status.get("currentRevision") != status.get("updateRevision"):
        return in_progress(f"{updated} of {wanted} replicas updated")
    return None
