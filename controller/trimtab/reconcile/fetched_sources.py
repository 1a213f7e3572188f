"""OCIRepository and HelmRepository: fetch when due, remember the artifact, wake the Applications that use it.

The loop calls it, once for each kind; a failed fetch changes the condition and nothing else: the last good artifact
stays.
"""

import random
from dataclasses import dataclass, field
from typing import Final

from trimtab.api.oci_repository import OciRepository
from trimtab.core.errors import SourceError
from trimtab.core.outcome import Outcome, Result
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.dependents import Dependents
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.journal import Journal
from trimtab.reconcile.origins import FetchedSource, Origin
from trimtab.reconcile.ports import Clock, Metrics
from trimtab.reconcile.queue import Key, WorkQueue
from trimtab.report.fetched_source import FetchedNews, fetched_status
from trimtab.source.signed_object import NotVerified
from trimtab.source.url import server_of

JITTER: Final = 0.1
"""Polls are scattered by this share of the interval, so that many sources do not ask at once."""


@dataclass(slots=True, kw_only=True)
class FetchedSourceReconciler:
    """One turn: resolve and fetch, unless suspended."""

    origin: Origin
    desk: Desk
    queue: WorkQueue
    artifacts: Artifacts
    dependents: Dependents
    accesses: Accesses
    journal: Journal
    clock: Clock
    metrics: Metrics
    _asked: dict[Key, tuple[int, str]] = field(default_factory=dict)

    def limit_seconds(self, key: Key) -> float:
        """Failures are tried again at least at the poll interval's pace."""
        source = self.desk.fetched_source(key)
        return max(source.spec.interval_seconds, 1.0) if source else 60.0

    def server(self, key: Key) -> str | None:
        """Whom a fetch asks; nobody, where there is none to be made."""
        source = self.desk.fetched_source(key)
        if source is None or source.metadata.deleting or source.spec.suspend:
            return None
        return server_of(source.spec.url)

    async def reconcile(self, key: Key) -> Outcome:
        """Fetch and report."""
        source = self.desk.fetched_source(key)
        if source is None:
            return await self._unreadable(key)
        if source.metadata.deleting:
            return Outcome.done()
        if source.spec.suspend:
            self.artifacts.freeze(key)
            await self._report(source, FetchedNews(suspended=True, verifies=_verifies(source)))
            return Outcome.done()
        self._notice_requests(key, source)
        try:
            artifact = await self._fetch(key, source)
        except SourceError as error:
            return await self._failed(key, source, error)
        self.artifacts.mark_tried(key)
        # Applications first: the status below is news, their work is the point.
        await self.dependents.arrived(key, artifact)
        await self._report(source, _news(source, artifact))
        return Outcome.done(again_seconds=self._scattered(source.spec.interval_seconds))

    def _notice_requests(self, key: Key, source: FetchedSource) -> None:
        asked = (source.metadata.generation, source.metadata.requested_at)
        if self._asked.get(key) != asked:
            self.accesses.forget(key)
            self._asked[key] = asked

    async def _fetch(self, key: Key, source: FetchedSource) -> Artifact:
        known = self.artifacts.get(key)
        started = self.clock.monotonic()
        try:
            artifact = await self.origin.fetch(key, source, known)
        except SourceError as error:
            self.metrics.fetched(error.reason, self.clock.monotonic() - started)
            raise
        result = "unchanged" if known is not None and known.revision == artifact.revision else "changed"
        self.metrics.fetched(result, self.clock.monotonic() - started)
        return artifact

    async def _failed(self, key: Key, source: FetchedSource, error: SourceError) -> Outcome:
        # Another password, certificate or public key may have been put into a Secret meanwhile.
        self.accesses.forget(key)
        await self._restore(key, source)
        if self.artifacts.mark_tried(key):
            self.dependents.wake(key)
        unverified = isinstance(error, NotVerified)
        news = FetchedNews(problem=error.problems[0], verifies=_verifies(source), unverified=unverified)
        await self._report(source, news)
        if not error.retry:
            return Outcome(Result.FAILURE, self._scattered(source.spec.interval_seconds), str(error))
        return Outcome.failed(str(error))

    async def _restore(self, key: Key, source: FetchedSource) -> None:
        """After a restart with the server gone: the artifact of the last status may still be in the store."""
        if self.artifacts.get(key) is not None:
            return
        restored = await self.origin.recall(key, source)
        if restored is not None and self.artifacts.put(key, restored):
            self.dependents.wake(key)

    async def _unreadable(self, key: Key) -> Outcome:
        invalid = self.desk.invalid(key)
        if invalid is None:
            self.artifacts.forget(key)
            self.accesses.forget(key)
            self.origin.forget(key)
            self.journal.forget(key)
            self.queue.forget(key)
            self._asked.pop(key, None)
            self.dependents.wake(key)
            return Outcome.done()
        body, problem = invalid
        await self.journal.invalid(self.origin.resource, body, problem, self.origin.status)
        return Outcome.failed(str(problem), retry=False)

    async def _report(self, source: FetchedSource, news: FetchedNews) -> None:
        resource, shown = self.origin.resource, source.status
        last = self.journal.last(resource, source.metadata, shown)
        status = fetched_status(self.origin.status, source.metadata, last, news, now_seconds=self.clock.now())
        await self.journal.write(resource, source.metadata, shown, status)

    def _scattered(self, seconds: float) -> float:
        return seconds * (1 + JITTER * random.random())  # noqa: S311 - scatter of polls, no secret


def _verifies(source: FetchedSource) -> bool:
    """Whether the artifact must be signed; an index is not, the charts taken out of it are."""
    return isinstance(source, OciRepository) and source.spec.verify is not None


def _news(source: FetchedSource, artifact: Artifact) -> FetchedNews:
    return FetchedNews(
        revision=str(artifact.revision),
        seen_seconds=artifact.seen_at,
        digest=artifact.digest,
        metadata=artifact.metadata,
        signed_by=artifact.signed_by,
        verifies=_verifies(source),
    )
