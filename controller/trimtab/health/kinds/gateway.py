"""Health of Gateways and GatewayClasses of the Gateway API: accepted and programmed. Called through the table."""

from typing import Any

from trimtab.health.conditions import conditions_of, first_unmet, status_of
from trimtab.health.generic import generic
from trimtab.health.status import Health, in_progress


def assess(body: dict[str, Any]) -> Health:
    """InProgress with the controller's words until Accepted and Programmed are True; then the generic rules."""
    conditions = conditions_of(status_of(body))
    if not conditions:
        return in_progress("no controller has taken it up yet")
    unmet = first_unmet(conditions, ("Accepted", "Programmed"))
    return in_progress(unmet) if unmet else generic(body)
