"""Health of CronJobs: they are in place as soon as they exist; their Jobs come and go. Called through the table."""

from typing import Any

from trimtab.health.conditions import spec_of, status_of
from trimtab.health.status import Health, current


def assess(body: dict[str, Any]) -> Health:
    """Always Current; the message says whether it is suspended and when it ran last."""
    if spec_of(body).get("suspend"):
        return current("suspended, as declared")
    last = status_of(body).get("lastScheduleTime")
    return current(f"last run at {last}" if last else "waiting for its first run")
