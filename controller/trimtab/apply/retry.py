"""When a refused command is tried again within a run: retry policy as data.

Steps and the ledger ask it. What outlasts these few tries is left to the loop's own back-off.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from trimtab.core.api_error import ApiError

DELAYS_SECONDS: Final = (0.1, 0.5, 1.5, 4.0)
"""Waits before the second to fifth try."""
THROTTLED_TRIES: Final = 10
THROTTLED_MAX_SECONDS: Final = 60.0
"""A server that asks for more patience than that is left to the loop's back-off."""


def spread(delay_seconds: float, key: str) -> float:
    """The delay times 0.75..1.25, by a hash of `key`: objects refused together do not come back together."""
    return delay_seconds * (0.75 + sha256(key.encode()).digest()[0] / 510)


@dataclass(slots=True)
class Tries:
    """How often one object's commands were refused so far. `key` spreads its delays."""

    key: str
    failed: int = field(default=0)
    throttled: int = field(default=0)

    def delay_seconds(self, error: ApiError) -> float | None:
        """How long to wait before the same command is tried again; None where it should not be."""
        if error.status == 429:
            return self._throttle(error.retry_after_seconds)
        if not error.transient:
            return None
        return self.next_seconds()

    def next_seconds(self) -> float | None:
        """How long to wait before the next try, whatever went wrong; None where there were enough."""
        if self.failed >= len(DELAYS_SECONDS):
            return None
        self.failed += 1
        return spread(DELAYS_SECONDS[self.failed - 1], self.key)

    def _throttle(self, asked_seconds: float | None) -> float | None:
        asked = 1.0 if asked_seconds is None else asked_seconds
        if self.throttled >= THROTTLED_TRIES or asked > THROTTLED_MAX_SECONDS:
            return None
        self.throttled += 1
        # Never sooner than asked, but not all at the same moment either.
        return asked + spread(0.2, self.key)
