"""Health of CustomResourceDefinitions: served or refused. Called through the table; apply waits on it for edges."""

from typing import Any

from trimtab.health.conditions import conditions_of, status_of
from trimtab.health.status import Health, current, failed, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current when Established; Failed where its names clash with another CRD's."""
    conditions = conditions_of(status_of(body))
    accepted = conditions.get("NamesAccepted")
    if accepted and accepted.false:
        return failed(str(accepted))
    established = conditions.get("Established")
    if established and established.true:
        return current("established")
    return in_progress(str(established) if established and str(established) else "not established yet")
