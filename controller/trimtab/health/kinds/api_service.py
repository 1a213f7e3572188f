"""Health of APIServices: whether the aggregated API answers, in the server's own words. Called through the table.

An unavailable one is worth precise words: while it lasts, no namespace of the cluster can finish its deletion.
"""

from typing import Any

from trimtab.health.conditions import conditions_of, status_of
from trimtab.health.status import Health, current, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current when Available; InProgress otherwise, since the backend may come up at any time."""
    available = conditions_of(status_of(body)).get("Available")
    if available is None:
        return in_progress("its availability has not been checked yet")
    return current(available.message) if available.true else in_progress(str(available))
