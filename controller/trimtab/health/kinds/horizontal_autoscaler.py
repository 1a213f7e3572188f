"""Health of HorizontalPodAutoscalers: able to read its metrics and to scale. Called through the table of kinds."""

from typing import Any, Final

from trimtab.health.conditions import conditions_of, first_unmet, status_of, unobserved
from trimtab.health.status import Health, current, failed, in_progress

_WRONG: Final = frozenset({"AmbiguousSelector", "InvalidMetricSourceType", "InvalidSelector"})
"""Reasons that only a change of the declaration removes."""


def assess(body: dict[str, Any]) -> Health:
    """InProgress while its target cannot be read, which may pass; Failed where the declaration is wrong.

    Without metrics it is Current, with a message: a cluster may have no metrics server for as long as it likes, and
    what Git declares is in place.
    """
    if behind := unobserved(body):
        return behind
    conditions = conditions_of(status_of(body))
    if not conditions:
        return in_progress("not evaluated yet")
    active = conditions.get("ScalingActive")
    if active and active.reason == "ScalingDisabled":
        return current("its target is scaled to zero, which switches autoscaling off")
    if active and active.false and active.reason in _WRONG:
        return failed(str(active))
    unmet = first_unmet(conditions, ("AbleToScale",))
    if unmet:
        return in_progress(unmet)
    return current(str(active) if active and active.false else "")
