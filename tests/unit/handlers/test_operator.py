"""A run of kopf's that ended leaves nothing behind, however slow its tasks are to end."""

import asyncio
import threading
from contextlib import suppress

from trimtab.handlers.operator import _Run


def test_what_is_slow_to_end_ends_beside_the_next_run() -> None:
    ended = threading.Event()

    async def stubborn() -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + 1.0
        while (left := until - loop.time()) > 0:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(left)
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
    run.join(10)
    assert not run.is_alive()
    assert ended.is_set()
