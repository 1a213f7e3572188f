"""The rules for kinds that have none of their own: the conventions that most controllers keep.

Called by `assess` after its table of kinds. The order and meaning follow kstatus, with `Available` beside `Ready`.
"""

from typing import Any, Final

from trimtab.health.conditions import Condition, conditions_of, status_of, unobserved
from trimtab.health.status import Health, current, failed, in_progress

_WANTED: Final = ("Ready", "Available")


def generic(body: dict[str, Any]) -> Health:
    """Judge by observedGeneration, then Stalled, Reconciling, Ready and Available; without any of them: Current."""
    if behind := unobserved(body):
        return behind
    conditions = conditions_of(status_of(body))
    stalled = conditions.get("Stalled")
    if stalled and stalled.true:
        return failed(str(stalled))
    reconciling = conditions.get("Reconciling")
    if reconciling and reconciling.true:
        return in_progress(str(reconciling))
    for kind in _WANTED:
        if kind in conditions:
            return _judge(kind, conditions[kind], body.get("metadata", {}).get("generation"))
    return current()


def _judge(kind: str, condition: Condition, generation: object) -> Health:
    if (
        isinstance(generation, int)
        and condition.observed_generation is not None
        and condition.observed_generation < generation
    ):
        return in_progress(f"{kind} speaks of generation {condition.observed_generation} of {generation}")
    if condition.true:
        return current(condition.message)
    return in_progress(f"{kind} is {condition.status or 'not set'}: {condition}".removesuffix(": "))
