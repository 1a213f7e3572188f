"""The workers: take keys from the queue, have them reconciled, give them back with their outcome.

Exceptions stop here and become an Outcome; one bad object never stops another.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from trimtab.core.api_error import ApiError
from trimtab.core.errors import TrimtabError
from trimtab.core.outcome import Outcome, Result
from trimtab.reconcile.lanes import Lanes
from trimtab.reconcile.ports import Clock, Metrics
from trimtab.reconcile.queue import Key, WorkQueue

log = logging.getLogger(__name__)


class Reconciler(Protocol):
    """Brings one kind of our objects to where its spec says."""

    async def before_turn(self, key: Key) -> None:
        """A turn is to come, which may have to wait for a lane: tell of that who would know of nothing otherwise."""
        ...

    async def reconcile(self, key: Key) -> Outcome:
        """One turn for one object; may raise, which counts as a failure that is tried again."""
        ...

    def limit_seconds(self, key: Key) -> float:
        """The longest back-off for this object."""
        ...

    def server(self, key: Key) -> str | None:
        """The server that a turn would ask, and may have to wait for; None where it asks none but the API server."""
        ...


class Loop:
    """A fixed number of workers over one queue. Turns that ask other servers go on beside them, in lanes of their own:
    however slow these servers are, all workers are there for the cluster.
    """

    def __init__(
        self,
        queue: WorkQueue,
        reconcilers: Mapping[str, Reconciler],
        clock: Clock,
        metrics: Metrics,
        *,
        workers: int,
        lanes: Lanes,
    ) -> None:
        self._queue = queue
        self._reconcilers = reconcilers
        self._clock = clock
        self._metrics = metrics
        self._workers = workers
        self._lanes = lanes
        self._beside: dict[Key, tuple[asyncio.Task[None], str]] = {}
        queue.added_again = self._look_again

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run_timers())
            for _ in range(self._workers):
                group.create_task(self._work(group))

    async def _work(self, group: asyncio.TaskGroup) -> None:
        while True:
            key, waited_seconds = await self._queue.take()
            self._metrics.queue(depth=self._queue.depth, waited_seconds=waited_seconds)
            reconciler = self._reconcilers[key.kind]
            await self._before_turn(reconciler, key)
            server = reconciler.server(key)
            if server is None:
                await self._reconcile(reconciler, key)
            else:
                task = group.create_task(self._in_lane(reconciler, key, server))
                self._beside[key] = task, server
                task.add_done_callback(partial(self._left, reconciler, key))

    async def _before_turn(self, reconciler: Reconciler, key: Key) -> None:
        try:
            await reconciler.before_turn(key)
        except (ApiError, TrimtabError) as error:
            # The turn itself will tell, or meet the same.
            log.warning("%s: %s", key, error)
        except Exception:  # the boundary: whatever one object provokes must not stop the others
            log.exception("%s: unexpected failure", key)

    async def _in_lane(self, reconciler: Reconciler, key: Key, server: str) -> None:
        async with self._lanes.turn(key.namespace, server):
            self._queue.begins(key)
            await self._reconcile(reconciler, key)

    def _look_again(self, key: Key) -> None:
        """A key was added while it waits for a lane or has one: where it has no business there any more, it goes."""
        task, server = self._beside.get(key, (None, ""))
        if task is not None and self._reconcilers[key.kind].server(key) != server:
            task.cancel()

    def _left(self, reconciler: Reconciler, key: Key, task: "asyncio.Task[None]") -> None:
        if self._beside[key][0] is task:
            del self._beside[key]
        if task.cancelled():
            # The turn that takes its place is due.
            self._queue.finished(key, Outcome(Result.SUPERSEDED), limit_seconds=reconciler.limit_seconds(key))

    async def _reconcile(self, reconciler: Reconciler, key: Key) -> None:
        started = self._clock.monotonic()
        outcome = await self._turn(reconciler, key)
        self._metrics.reconciled(key.kind, outcome.result, self._clock.monotonic() - started)
        self._queue.finished(key, outcome, limit_seconds=reconciler.limit_seconds(key))

    async def _turn(self, reconciler: Reconciler, key: Key) -> Outcome:
        try:
            return await reconciler.reconcile(key)
        except (ApiError, TrimtabError) as error:
            log.warning("%s: %s", key, error)
            return Outcome.failed(str(error))
        except Exception:  # the boundary: whatever one object provokes must not stop the others
            log.exception("%s: unexpected failure", key)
            return Outcome.failed("unexpected failure, see the log")
