"""Health of PodDisruptionBudgets: computed, whatever number came out. Called through the table of kinds.

A budget that allows no disruption right now is doing what it was declared for.
"""

from typing import Any

from trimtab.health.conditions import conditions_of, status_of, unobserved
from trimtab.health.status import Health, current, failed, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current once computed; Failed where the controller cannot compute it (SyncFailed)."""
    if behind := unobserved(body):
        return behind
    status = status_of(body)
    if "observedGeneration" not in status:
        return in_progress("not computed yet")
    allowed = conditions_of(status).get("DisruptionAllowed")
    if allowed and allowed.reason == "SyncFailed":
        return failed(str(allowed))
    return current(f"{status.get('disruptionsAllowed', 0)} disruptions allowed")
