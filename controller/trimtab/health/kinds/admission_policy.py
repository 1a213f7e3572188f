"""Health of ValidatingAdmissionPolicies: type-checked, with what the checker warns of. Called through the table."""

from typing import Any

from trimtab.health.conditions import status_of, unobserved
from trimtab.health.status import Health, current


def assess(body: dict[str, Any]) -> Health:
    """Current once checked: a warning does not stop the policy from being enforced, but it is told."""
    if behind := unobserved(body):
        return behind
    warnings = (status_of(body).get("typeChecking") or {}).get("expressionWarnings") or []
    if not warnings:
        return current()
    first = warnings[0]
    return current(f"type checking warns of {first.get('fieldRef', '')}: {first.get('warning', '')}")
