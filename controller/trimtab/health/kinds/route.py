"""Health of the Gateway API's routes: accepted by every parent, all references resolved. Called through the table."""

from typing import Any

from trimtab.health.conditions import conditions_of, first_unmet, status_of
from trimtab.health.status import Health, current, in_progress


def assess(body: dict[str, Any]) -> Health:
    """InProgress naming the first parent that does not accept it or cannot resolve its references."""
    parents = status_of(body).get("parents") or []
    if not parents:
        return in_progress("no controller has taken it up yet")
    for parent in parents:
        unmet = first_unmet(conditions_of(parent), ("Accepted", "ResolvedRefs"))
        if unmet:
            return in_progress(f"parent {(parent.get('parentRef') or {}).get('name', '')}: {unmet}")
    return current(f"accepted by {len(parents)} parent{'s' if len(parents) > 1 else ''}")
