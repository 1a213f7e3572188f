"""Health of Namespaces, and what holds up the deletion of one. Called through the table and by `assess`."""

from typing import Any, Final

from trimtab.health.conditions import conditions_of, status_of
from trimtab.health.status import Health, current, in_progress

_OBSTACLES: Final = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
)
"""Conditions that say why content is left, the most telling first."""


def assess(body: dict[str, Any]) -> Health:
    """Current when Active."""
    phase = status_of(body).get("phase")
    return current("active") if phase == "Active" else in_progress(f"phase {phase or 'not set'}")


def why_terminating(body: dict[str, Any]) -> str:
    """What the namespace controller says about a deletion that has not ended."""
    conditions = conditions_of(status_of(body))
    for kind in _OBSTACLES:
        if kind in conditions and conditions[kind].true:
            return f"being deleted, held up: {conditions[kind]}"
    return "being deleted"
