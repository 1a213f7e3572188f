"""The real clock: the port `Clock`.

Nothing flows in; times flow out. Wiring hands it to the loop.
"""

import asyncio
import time


class SystemClock:
    """Implements `reconcile.ports.Clock`."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
