"""One watch per resource type over the objects that carry our buckets: the port `Watches`.

The wanted types flow in; events of all of them flow to one sink. The loop calls it, livez and metrics ask it for ages.
"""

import asyncio
import logging
import time

from trimtab.adapters.kube.connection import Connection
from trimtab.adapters.kube.type_watch import Scope, TypeWatch, WatchTimes
from trimtab.core.refs import ResourceType
from trimtab.reconcile.ports import WatchSink

log = logging.getLogger(__name__)


class KubeWatches:
    """Implements `reconcile.ports.Watches`; needs a running event loop."""

    def __init__(
        self, connection: Connection, sink: WatchSink, *, scope: Scope, times: WatchTimes | None = None
    ) -> None:
        self._connection = connection
        self._sink = sink
        self._scope = scope
        self._times = times or WatchTimes()
        self._watches: dict[ResourceType, TypeWatch] = {}
        self._tasks: dict[ResourceType, asyncio.Task[None]] = {}

    def want(self, kinds: frozenset[ResourceType]) -> None:
        """Make these the watched types; those no longer wanted end without an event."""
        for kind in self._tasks.keys() - kinds:
            self._tasks.pop(kind).cancel()
            del self._watches[kind]
        for kind in sorted(kinds - self._tasks.keys()):
            self._start(kind)

    def oldest_sign_of_life_seconds(self) -> float:
        """Age of the oldest last event, bookmark, connection or try over all watches; 0 with none."""
        return max(self.ages().values(), default=0.0)

    def ages(self) -> dict[ResourceType, float]:
        """Seconds since the last sign of life of each watch."""
        now = time.monotonic()
        return {kind: now - watch.last_sign for kind, watch in self._watches.items()}

    def synced(self, kind: ResourceType) -> bool:
        """Whether the initial list of the type has been shown and the watch is in order."""
        watch = self._watches.get(kind)
        return watch is not None and watch.synced

    async def close(self) -> None:
        """End all watches."""
        tasks = list(self._tasks.values())
        self.want(frozenset())
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, kind: ResourceType) -> None:
        watch = TypeWatch(self._connection, kind, self._sink, scope=self._scope, times=self._times)
        task = asyncio.create_task(watch.run(), name=f"watch {kind.plural}.{kind.group}")
        self._watches[kind] = watch
        self._tasks[kind] = task
        task.add_done_callback(lambda done: self._ended(kind, done))

    def _ended(self, kind: ResourceType, task: asyncio.Task[None]) -> None:
        """A watch ends only when it is cancelled; after a defect it starts over, with a list, a while later."""
        if task.cancelled() or self._tasks.get(kind) is not task:
            return
        log.error("the watch of %s failed and starts over", kind.plural, exc_info=task.exception())
        loop = task.get_loop()
        loop.call_later(self._times.refused_delay_seconds, self._start_over, kind, task)

    def _start_over(self, kind: ResourceType, failed: "asyncio.Task[None]") -> None:
        if self._tasks.get(kind) is failed:
            self._start(kind)
