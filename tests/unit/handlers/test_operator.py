"""A run of kopf's that ended leaves nothing behind, however slow its tasks are to end."""

import asyncio
import threading
from contextlib import suppress

from trimtab.handlers.operator import _Run


def test_what_is_slow_to_end_ends_beside_the_next_run() -> None:
    may_end, ended = threading.Event(), threading.Event()

    async def stubborn() -> None:
        while not may_end.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
        ended.set()

    async def dies() -> None:
        held = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        assert not held.done()
        raise RuntimeError("the watch is gone")

    run = _Run(dies)
    run.start()
    assert run.outcome.result(timeout=10) == "the watch is gone"
    assert not ended.is_set(), "the next run does not wait for it"
    may_end.set()
    run.join(10)
    assert not run.is_alive()
    assert ended.is_set()
