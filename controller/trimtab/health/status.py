"""The words of health, and how the health of many becomes the health of one Application.

The rules of the kinds make them; the loop keeps one per object, report shows the worst.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trimtab.core.refs import ObjectRef


class HealthStatus(StrEnum):
    """kstatus' words, best to worst as far as an Application is concerned."""

    CURRENT = "Current"
    UNKNOWN = "Unknown"
    IN_PROGRESS = "InProgress"
    TERMINATING = "Terminating"
    FAILED = "Failed"


_SEVERITY: Final = {status: severity for severity, status in enumerate(HealthStatus)}
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Health:
    """A status and the sentence that explains it."""

    status: HealthStatus
    message: str = ""

    @property
    def current(self) -> bool:
        """Whether nothing is left to wait for and nothing is wrong."""
        return self.status is HealthStatus.CURRENT


def current(message: str = "") -> Health:
    """All is as declared and works."""
    return Health(HealthStatus.CURRENT, message)


def in_progress(message: str) -> Health:
    """Not there yet, or not working, and it may come by itself."""
    return Health(HealthStatus.IN_PROGRESS, message)


def failed(message: str) -> Health:
    """Its controller gave up, or only a change can help."""
    return Health(HealthStatus.FAILED, message)


def worst(healths: Mapping[ObjectRef, Health]) -> Health:
    """The health of an Application: its worst object's, naming up to three of those that are not Current."""
    if not healths:
        return current("no objects")
    troubled = [(ref, health) for ref, health in healths.items() if not health.current]
    if not troubled:
        return current(f"all {len(healths)} objects are healthy" if len(healths) > 1 else "the object is healthy")
    troubled.sort(key=lambda item: (-_SEVERITY[item[1].status], item[0]))
    named = [f"{ref} is {health.status}: {health.message}".removesuffix(": ") for ref, health in troubled[:_NAMED]]
    more = f"; and {len(troubled) - _NAMED} more" if len(troubled) > _NAMED else ""
    count = f"{len(troubled)} of {len(healths)} objects {'is' if len(troubled) == 1 else 'are'} not healthy"
    return Health(troubled[0][1].status, f"{count}: {'; '.join(named)}{more}")
