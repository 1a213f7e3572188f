"""How long fetches take and what they come to. The origins of sources have each request to a server measured by it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import Clock

T = TypeVar("T")


def _nobody(_result: str, _seconds: float) -> None:
    """Where nobody counts."""


@dataclass(frozen=True, slots=True)
class FetchMeter:
    """`tell` hears of each fetch: changed, unchanged or the reason of its failure, and its seconds."""

    clock: Clock
    tell: Callable[[str, float], None] = _nobody

    async def measure(self, fetching: Awaitable[T], changed: Callable[[T], bool]) -> T:
        """What the fetch comes to; raises as it does."""
        started = self.clock.monotonic()
        try:
            found = await fetching
        except SourceError as error:
            self.tell(error.reason, self.clock.monotonic() - started)
            raise
        self.tell("changed" if changed(found) else "unchanged", self.clock.monotonic() - started)
        return found
