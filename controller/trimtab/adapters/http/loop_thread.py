"""An event loop in a thread of its own, on which downloads run: nothing that a server sends holds up the controller.

Coroutines flow in, their results flow out to whichever loop waits for them; who stops waiting cancels. Wiring makes one
per process.
"""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
END_SECONDS = 1.0


class LoopThread:
    """A daemon, so that no download keeps the process from ending; `close` cancels what runs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="downloads", daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T], *, timeout_seconds: float) -> T:
        """Carry it out there. Raises TimeoutError, and what the work raises."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_bounded(work, timeout_seconds), self._loop))

    async def close(self) -> None:
        """End what runs; harmless the second time."""
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, END_SECONDS)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=END_SECONDS / 2))
        self._loop.close()


async def _bounded(work: Coroutine[Any, Any, T], timeout_seconds: float) -> T:
    async with asyncio.timeout(timeout_seconds):
        return await work
