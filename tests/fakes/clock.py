"""A clock that a test turns by hand: the port `Clock`."""

import asyncio


class HandClock:
    """Time stands still until `turn`; sleepers wake when their time has come."""

    def __init__(self, *, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now + self._elapsed

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the hand has passed."""
        woken = asyncio.Event()
        self._sleepers.append((self._elapsed + seconds, woken))
        await woken.wait()

    async def turn(self, seconds: float) -> None:
        """Let time pass and whoever it wakes run."""
        self._elapsed += seconds
        for due, woken in self._sleepers:
            if due <= self._elapsed:
                woken.set()
        self._sleepers = [(due, woken) for due, woken in self._sleepers if due > self._elapsed]
        for _ in range(20):
            await asyncio.sleep(0)


class LoopClock:
    """The event loop's own time, which `looptime` moves on as soon as everybody waits: the port `Clock`."""

    def __init__(self, *, now: float = 1_800_000_000.0) -> None:
        self._epoch = now - asyncio.get_running_loop().time()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._epoch + self.monotonic()

    def monotonic(self) -> float:
        """Seconds of the event loop."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait, which takes no time."""
        await asyncio.sleep(seconds)
