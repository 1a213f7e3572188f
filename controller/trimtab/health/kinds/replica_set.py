"""Health of ReplicaSets: every replica available, or what keeps pods from being created. Called through the table."""

from typing import Any

from trimtab.health.conditions import conditions_of, spec_of, status_of, unobserved
from trimtab.health.status import Health, current, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current when as many replicas are available as were asked for, and no more exist."""
    if behind := unobserved(body):
        return behind
    status = status_of(body)
    if "observedGeneration" not in status:
        return in_progress("its controller has not seen it yet")
    failure = conditions_of(status).get("ReplicaFailure")
    if failure and failure.true:
        return in_progress(str(failure))
    wanted = spec_of(body).get("replicas", 1)
    available = status.get("availableReplicas", 0)
    if available < wanted:
        return in_progress(f"{available} of {wanted} replicas available")
    if (extra := status.get("replicas", 0) - wanted) > 0:
        return in_progress(f"{extra} replicas too many still to end")
    return current(f"{available} of {wanted} replicas available")
