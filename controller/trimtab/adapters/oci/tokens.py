"""Proofs that registries gave us, kept until they expire, so that a look at an unchanged tag costs one request.

The registry client puts and takes them; they live in memory only.
"""

import hashlib
import time
from dataclasses import dataclass, field

DEFAULT_SECONDS = 60.0
MARGIN_SECONDS = 10.0
MAX_KEPT = 1000

Place = tuple[str, str]
"""Root of the repository's API, and a digest of the credentials it is asked with."""


@dataclass(slots=True)
class TokenCache:
    """Place → the Authorization header that worked there last."""

    _kept: dict[Place, tuple[str, float]] = field(default_factory=dict)

    def get(self, place: Place) -> str:
        """The header's value; empty where there is none or it has expired."""
        value, until = self._kept.get(place, ("", 0.0))
        return value if time.monotonic() < until else ""

    def put(self, place: Place, value: str, *, seconds: float) -> None:
        """Keep a value that holds for so long."""
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[place] = (value, time.monotonic() + max(seconds - MARGIN_SECONDS, 0.0))

    def forget(self, place: Place) -> None:
        """It was refused."""
        self._kept.pop(place, None)


def place_of(api: str, username: str, password: str) -> Place:
    """Where a token holds; the password itself is not kept."""
    return api, hashlib.sha256(f"{username}\0{password}".encode()).hexdigest()
