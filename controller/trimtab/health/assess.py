"""One live object in, its health out: deletion first, then the rule of its kind, else the generic one.

The loop calls it for every event of a watched object and keeps the answer.
"""

from typing import Any

from trimtab.core.refs import split_api_version
from trimtab.health.generic import generic
from trimtab.health.kinds import RULES, namespace
from trimtab.health.status import Health, HealthStatus


def assess(body: dict[str, Any]) -> Health:
    """The health of an object as the API server shows it; asks nobody else. Raises KeyError without its kind."""
    group, _ = split_api_version(body["apiVersion"])
    kind = (group, body["kind"])
    if body.get("metadata", {}).get("deletionTimestamp"):
        return Health(HealthStatus.TERMINATING, _why_terminating(kind, body))
    return RULES.get(kind, generic)(body)


def _why_terminating(kind: tuple[str, str], body: dict[str, Any]) -> str:
    if kind == ("", "Namespace"):
        return namespace.why_terminating(body)
    finalizers = body["metadata"].get("finalizers") or []
    return f"being deleted, held by {', '.join(finalizers)}" if finalizers else "being deleted"
