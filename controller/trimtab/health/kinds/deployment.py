"""Health of Deployments: rolled out, or why not. Called through the table of kinds.

Pods are not watched, so what keeps them from running is told as far as the Deployment's own conditions tell it.
"""

from typing import Any

from trimtab.health.conditions import Condition, conditions_of, spec_of, status_of, unobserved
from trimtab.health.status import Health, current, failed, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Failed once the progress deadline passed; Current when every replica is of the newest template and available."""
    if behind := unobserved(body):
        return behind
    spec, status = spec_of(body), status_of(body)
    if "observedGeneration" not in status:
        return in_progress("its controller has not seen it yet")
    conditions = conditions_of(status)
    failure = conditions.get("ReplicaFailure")
    cause = f"; {failure}" if failure and failure.true else ""
    progressing = conditions.get("Progressing")
    if progressing and progressing.false and progressing.reason == "ProgressDeadlineExceeded":
        return failed(f"{progressing}; {_count(spec, status)} available{cause}")
    missing = _missing(spec, status, conditions)
    if not missing:
        return current(f"{_count(spec, status)} available")
    paused = "; the rollout is paused" if spec.get("paused") else ""
    return in_progress(f"{missing}{paused}{cause}")


def _missing(spec: dict[str, Any], status: dict[str, Any], conditions: dict[str, Condition]) -> str:
    wanted = spec.get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    if updated < wanted:
        return f"{updated} of {wanted} replicas updated"
    if (old := status.get("replicas", 0) - updated) > 0:
        return f"{old} old replicas still to end"
    if status.get("availableReplicas", 0) < wanted:
        return f"{_count(spec, status)} available"
    available = conditions.get("Available")
    if available and not available.true:
        return str(available)
    return ""


def _count(spec: dict[str, Any], status: dict[str, Any]) -> str:
    return f"{status.get('availableReplicas', 0)} of {spec.get('replicas', 1)} replicas"
