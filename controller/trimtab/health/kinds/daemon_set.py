"""Health of DaemonSets: an updated and available pod on every node that shall have one. Called through the table."""

from typing import Any

from trimtab.health.conditions import spec_of, status_of, unobserved
from trimtab.health.status import Health, current, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current when all scheduled pods are of the newest template (unless OnDelete) and available."""
    if behind := unobserved(body):
        return behind
    status = status_of(body)
    if "observedGeneration" not in status:
        return in_progress("its controller has not seen it yet")
    wanted = status.get("desiredNumberScheduled", 0)
    updated = status.get("updatedNumberScheduled", 0)
    on_delete = (spec_of(body).get("updateStrategy") or {}).get("type") == "OnDelete"
    if updated < wanted and not on_delete:
        return in_progress(f"updated on {updated} of {wanted} nodes")
    available = status.get("numberAvailable", 0)
    if available < wanted:
        return in_progress(f"available on {available} of {wanted} nodes")
    return current(f"available on {available} of {wanted} nodes")
