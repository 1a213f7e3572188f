"""What is known of a live object: seen, known to be absent, or not known.

Unknown is not absent: only `Absent` may lead to a creation, and nothing is deleted on `Unknown`.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Live:
    """The object as the API server answered it."""

    body: dict[str, Any]

    @property
    def uid(self) -> str:
        """The object's UID."""
        return str(self.body["metadata"]["uid"])

    @property
    def resource_version(self) -> str:
        """The object's resourceVersion."""
        return str(self.body["metadata"]["resourceVersion"])


@dataclass(frozen=True, slots=True)
class Absent:
    """The API server said that there is no such object."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing reliable is known, and why (a request failed, a watch was cut, an event is ambiguous)."""

    reason: str


Observed = Live | Absent | Unknown
