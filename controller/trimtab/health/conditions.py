"""How conditions and generations are read from an object's body, whoever wrote it and however badly.

The generic rules and those of the kinds call it. Nothing here raises: foreign kinds may put anything under `status`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trimtab.health.status import Health, in_progress


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as found; all parts are text, empty where missing."""

    status: str
    reason: str = ""
    message: str = ""
    observed_generation: int | None = None

    @property
    def true(self) -> bool:
        """Whether it holds."""
        return self.status == "True"

    @property
    def false(self) -> bool:
        """Whether it is known not to hold."""
        return self.status == "False"

    def __str__(self) -> str:
        return ": ".join(part for part in (self.reason, self.message) if part)


def status_of(body: dict[str, Any]) -> dict[str, Any]:
    """The status; empty where there is none or it is no map."""
    status = body.get("status")
    return status if isinstance(status, dict) else {}


def spec_of(body: dict[str, Any]) -> dict[str, Any]:
    """The spec; empty where there is none or it is no map."""
    spec = body.get("spec")
    return spec if isinstance(spec, dict) else {}


def conditions_of(holder: dict[str, Any]) -> dict[str, Condition]:
    """The conditions of a status, or of any map that holds a list of them, by type."""
    found = holder.get("conditions")
    if not isinstance(found, list):
        return {}
    return {
        str(each["type"]): Condition(
            str(each.get("status") or ""),
            str(each.get("reason") or ""),
            str(each.get("message") or ""),
            _whole(each.get("observedGeneration")),
        )
        for each in found
        if isinstance(each, dict) and "type" in each
    }


def unobserved(body: dict[str, Any]) -> Health | None:
    """InProgress while the kind's controller has not seen the newest generation; None once it has."""
    generation = _whole(body.get("metadata", {}).get("generation"))
    observed = _whole(status_of(body).get("observedGeneration"))
    if generation is None or observed is None or observed >= generation:
        return None
    return in_progress(f"its controller has seen generation {observed} of {generation}")


def first_unmet(conditions: dict[str, Condition], wanted: Iterable[str]) -> str:
    """What the first of the wanted conditions that is there and not True says; empty where all are met."""
    for kind in wanted:
        condition = conditions.get(kind)
        if condition is not None and not condition.true:
            return f"{kind} is {condition.status or 'not set'}: {condition}".removesuffix(": ")
    return ""


def _whole(value: object) -> int | None:
    """A number, or a number written as text, as some controllers do."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None
