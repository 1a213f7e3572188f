"""Sources: fetch when due, remember the artifact, wake the Applications that use it.

The loop calls it, once for each kind, whose origin says how; a failed fetch changes the condition and nothing else: the
last good artifact stays.
"""

import random
from dataclasses import dataclass, field
from typing import Final, Generic

from trimtab.core.errors import SourceError
from trimtab.core.outcome import Outcome, Result
from trimtab.reconcile.artifacts import Artifacts
from trimtab.reconcile.dependents import Dependents
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.journal import Journal
from trimtab.reconcile.origins.origin import Origin, Source, SourceNews
from trimtab.reconcile.ports import Clock
from trimtab.reconcile.queue import Key, WorkQueue
from trimtab.source.signed_object import NotVerified
from trimtab.source.url import server_of

JITTER: Final = 0.1
"""Polls are scattered by this share of the interval, so that many sources do not ask at once."""


@dataclass(slots=True, kw_only=True)
class SourceReconciler(Generic[Source]):
    """One turn: resolve and fetch, unless suspended."""

    origin: Origin[Source]
    desk: Desk
    queue: WorkQueue
    artifacts: Artifacts
    dependents: Dependents
    journal: Journal
    clock: Clock
    _asked: dict[Key, tuple[int, str]] = field(default_factory=dict)

    def limit_seconds(self, key: Key) -> float:
        """Failures are tried again at least at the poll interval's pace."""
        source = self.desk.readable(key, self.origin.model)
        return max(source.spec.interval_seconds, 1.0) if source else 60.0

    def server(self, key: Key) -> str | None:
        """Whom a fetch asks; nobody, where there is none to be made."""
        source = self.desk.readable(key, self.origin.model)
        if source is None or source.metadata.deleting or source.spec.suspend:
            return None
        return server_of(source.spec.url)

    async def before_turn(self, key: Key) -> None:
        """Tell of a first fetch: what has no condition at all is taken for ready by kstatus."""
        source = self.desk.readable(key, self.origin.model)
        if source is None or self.server(key) is None:
            return
        if not self.journal.last(self.origin.resource, source.metadata, source.status).conditions:
            await self._report(source, SourceNews())

    async def reconcile(self, key: Key) -> Outcome:
        """Fetch and report."""
        source = self.desk.readable(key, self.origin.model)
        if source is None:
            return await self._unreadable(key)
        if source.metadata.deleting:
            return Outcome.done()
        if source.spec.suspend:
            self.artifacts.freeze(key)
            await self._report(source, SourceNews(suspended=True))
            return Outcome.done()
        self._notice_requests(key, source)
        try:
            artifact = await self.origin.fetch(key, source, self.artifacts.get(key))
        except SourceError as error:
            return await self._failed(key, source, error)
        self.artifacts.mark_tried(key)
        # Applications first: the status below is news, their work is the point.
        await self.dependents.arrived(key, artifact)
        await self._report(source, SourceNews(artifact=artifact))
        return Outcome.done(again_seconds=self._scattered(source.spec.interval_seconds))

    def _notice_requests(self, key: Key, source: Source) -> None:
        asked = (source.metadata.generation, source.metadata.requested_at)
        if self._asked.get(key) != asked:
            self.origin.reread(key)
            self._asked[key] = asked

    async def _failed(self, key: Key, source: Source, error: SourceError) -> Outcome:
        # Another password, key or certificate may have been put into a Secret meanwhile.
        self.origin.reread(key)
        await self._restore(key, source)
        if self.artifacts.mark_tried(key):
            self.dependents.wake(key)
        unverified = isinstance(error, NotVerified)
        await self._report(source, SourceNews(problem=error.problems[0], unverified=unverified))
        if not error.retry:
            # Only the server's side can mend it: look again at the pace of polling.
            return Outcome(Result.FAILURE, self._scattered(source.spec.interval_seconds), str(error))
        return Outcome.failed(str(error))

    async def _restore(self, key: Key, source: Source) -> None:
        """After a restart with the server gone: the artifact of the last status may still be at hand."""
        if self.artifacts.get(key) is not None:
            return
        restored = await self.origin.recall(key, source)
        if restored is not None and self.artifacts.put(key, restored):
            self.dependents.wake(key)

    async def _unreadable(self, key: Key) -> Outcome:
        invalid = self.desk.invalid(key)
        if invalid is None:
            self.artifacts.forget(key)
            self.origin.forget(key)
            self.journal.forget(key)
            self.queue.forget(key)
            self._asked.pop(key, None)
            self.dependents.wake(key)
            return Outcome.done()
        body, problem = invalid
        await self.journal.invalid(self.origin.resource, body, problem, self.origin.status)
        return Outcome.failed(str(problem), retry=False)

    async def _report(self, source: Source, news: SourceNews) -> None:
        resource, shown = self.origin.resource, source.status
        last = self.journal.last(resource, source.metadata, shown)
        status = self.origin.report(source, last, news, now_seconds=self.clock.now())
        await self.journal.write(resource, source.metadata, shown, status)

    def _scattered(self, seconds: float) -> float:
        return seconds * (1 + JITTER * random.random())  # noqa: S311 - scatter of polls, no secret
