"""Health of PersistentVolumeClaims: bound, waiting or lost. Called through the table of kinds."""

from typing import Any

from trimtab.health.conditions import status_of
from trimtab.health.status import Health, current, failed, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current when Bound, Failed when Lost."""
    phase = status_of(body).get("phase")
    if phase == "Bound":
        return current("bound")
    if phase == "Lost":
        return failed("its volume is lost")
    return in_progress("not bound yet (storage classes that wait for the first consumer bind when a pod uses it)")
