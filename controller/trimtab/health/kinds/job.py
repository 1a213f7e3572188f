"""Health of Jobs: complete, failed or running. Called through the table of kinds."""

from typing import Any

from trimtab.health.conditions import conditions_of, spec_of, status_of
from trimtab.health.status import Health, current, failed, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current when complete, or suspended as declared; Failed with the Job's own reason."""
    status = status_of(body)
    conditions = conditions_of(status)
    for kind in ("Failed", "FailureTarget"):
        if kind in conditions and conditions[kind].true:
            return failed(str(conditions[kind]))
    if "Complete" in conditions and conditions["Complete"].true:
        return current("complete")
    if spec_of(body).get("suspend"):
        return current("suspended, as declared")
    if "startTime" not in status:
        return in_progress("not started yet")
    counts = ", ".join(f"{status.get(name, 0)} {name}" for name in ("active", "succeeded", "failed"))
    return in_progress(f"running: {counts}")
