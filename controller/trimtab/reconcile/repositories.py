"""GitRepository: fetch when due, remember the artifact, wake the Applications that use it.

The loop calls it; a failed fetch changes the condition and nothing else: the last good artifact stays.
"""

import random
from dataclasses import dataclass, field, replace

from trimtab.api.git_repository import RESOURCE, Commit, GitRepository, GitRepositoryStatus
from trimtab.api.timestamps import format_time
from trimtab.core.errors import SourceError
from trimtab.core.outcome import Outcome, Result
from trimtab.core.revision import Revision
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.dependents import Dependents
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.grafted_tree import GraftedTree
from trimtab.reconcile.includes import Includes
from trimtab.reconcile.journal import Journal
from trimtab.reconcile.ports import Clock, Fetched, Git, GitCredentials, Metrics
from trimtab.reconcile.queue import Key, WorkQueue
from trimtab.reconcile.remote_bases import BaseRules, base_rules
from trimtab.reconcile.source_trees import SourceTrees
from trimtab.reconcile.verification import Verifications, Verified
from trimtab.report.repository import ArtifactNews, RepositoryNews, VerifiedNews, repository_status
from trimtab.source.addresses import NamespaceAddresses
from trimtab.source.artifact import tree_digest
from trimtab.source.signed_object import NotVerified
from trimtab.source.url import server_of

JITTER = 0.1
"""Polls are scattered by this share of the interval, so that many repositories do not ask at once."""


@dataclass(slots=True, kw_only=True)
class RepositoryReconciler:
    """One turn: resolve and fetch, unless suspended."""

    desk: Desk
    queue: WorkQueue
    git: Git
    artifacts: Artifacts
    dependents: Dependents
    credentials: CredentialCache
    verifications: Verifications
    journal: Journal
    clock: Clock
    metrics: Metrics
    addresses: NamespaceAddresses
    trees: SourceTrees = field(init=False)
    includes: Includes = field(init=False)
    _asked: dict[Key, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trees = SourceTrees(git=self.git)
        self.includes = Includes(self.desk, self.artifacts)

    def limit_seconds(self, key: Key) -> float:
        """Failures are tried again at least at the poll interval's pace."""
        repository = self.desk.repository(key)
        return max(repository.spec.interval_seconds, 1.0) if repository else 60.0

    def server(self, key: Key) -> str | None:
        """Whom a fetch asks; nobody, where there is none to be made."""
        repository = self.desk.repository(key)
        if repository is None or repository.metadata.deleting or repository.spec.suspend:
            return None
        return server_of(repository.spec.url)

    async def reconcile(self, key: Key) -> Outcome:
        """Fetch and report."""
        repository = self.desk.repository(key)
        if repository is None:
            return await self._unreadable(key)
        if repository.metadata.deleting:
            return Outcome.done()
        if repository.spec.suspend:
            self.artifacts.freeze(key)
            await self._report(repository, RepositoryNews(suspended=True))
            return Outcome.done()
        self._notice_requests(key, repository)
        try:
            included = self.includes.of(key, repository)
            fetched, credentials = await self._fetch(key, repository)
            arrived_at = self.clock.now()
            # Before anything of the commit is read: what is included and its submodules come after it.
            verified = await self.verifications.check(
                key, repository, fetched.revision, credentials, tag_sha=fetched.tag_sha
            )
            artifact = await self._artifact(key, repository, fetched, credentials, included, arrived_at)
        except SourceError as error:
            return await self._failed(key, repository, error)
        await self._arrived(key, repository, artifact, verified)
        return Outcome.done(again_seconds=self._scattered(repository.spec.interval_seconds))

    def _rules(self, key: Key, repository: GitRepository, credentials: GitCredentials | None) -> BaseRules:
        """Raises SourceError where spec.remoteBases holds what is no URL."""
        rules = base_rules(key.kind, key.name, repository.spec, self.addresses.of(key.namespace))
        return replace(rules, url=repository.spec.url, credentials=credentials) if rules.prefixes else rules

    def _notice_requests(self, key: Key, repository: GitRepository) -> None:
        asked = (repository.metadata.generation, repository.metadata.requested_at)
        if self._asked.get(key) != asked:
            self.credentials.forget(key)
            self._asked[key] = asked

    async def _fetch(self, key: Key, repository: GitRepository) -> tuple[Fetched, GitCredentials | None]:
        spec = repository.spec
        credentials = await self.credentials.get(key, repository)
        started = self.clock.monotonic()
        try:
            fetched = await self.git.fetch(
                spec.url,
                spec.ref.to_body(),
                credentials,
                timeout_seconds=spec.timeout_seconds,
                addresses=self.addresses.of(key.namespace),
            )
        except SourceError as error:
            self.metrics.fetched(error.reason, self.clock.monotonic() - started)
            raise
        result = "changed" if fetched.changed else "unchanged"
        self.metrics.fetched(result, self.clock.monotonic() - started)
        return fetched, credentials

    async def _artifact(
        self,
        key: Key,
        repository: GitRepository,
        fetched: Fetched,
        credentials: GitCredentials | None,
        included: tuple[Artifact, ...],
        arrived_at: float,
    ) -> Artifact:
        known = self.artifacts.get(key)
        known_tree = known.tree if known and isinstance(known.tree, GitTree | GraftedTree) else None
        trees = [each.tree for each in included if isinstance(each.tree, GitTree | GraftedTree)]
        tree = await self.trees.make(
            repository.spec,
            fetched.revision.sha,
            credentials,
            trees,
            known=known_tree,
            addresses=self.addresses.of(key.namespace),
        )
        same = known is not None and known.revision == fetched.revision
        seen_at = known.seen_at if known and same else arrived_at
        digest = known.digest if known and known.tree == tree else tree_digest(await tree.digest(""))
        rules = self._rules(key, repository, credentials)
        return Artifact(
            tree,
            fetched.revision,
            fetched.commit,
            seen_at,
            digest,
            included=included,
            bases=rules,
            verified=repository.spec.verify is not None,
        )

    async def _arrived(
        self, key: Key, repository: GitRepository, artifact: Artifact, verified: Verified | None
    ) -> None:
        self.artifacts.mark_tried(key)
        # Applications first: the status below is news, their work is the point.
        await self.dependents.arrived(key, artifact)
        by = VerifiedNews(verified.by, verified.message) if verified else None
        await self._report(repository, RepositoryNews(artifact=_news(artifact), verified=by))

    async def _failed(self, key: Key, repository: GitRepository, error: SourceError) -> Outcome:
        # Another password, key or certificate may have been put into a Secret meanwhile.
        self.credentials.forget(key)
        await self._restore(key, repository)
        if self.artifacts.mark_tried(key):
            self.dependents.wake(key)
        unverified = isinstance(error, NotVerified)
        await self._report(repository, RepositoryNews(problem=error.problems[0], unverified=unverified))
        if not error.retry:
            # Only the server's side can mend it: look again at the pace of polling.
            return Outcome(Result.FAILURE, self._scattered(repository.spec.interval_seconds), str(error))
        return Outcome.failed(str(error))

    async def _restore(self, key: Key, repository: GitRepository) -> None:
        """After a restart with the server gone: the commit of the last status may still be in the mirror."""
        artifact = repository.status.artifact
        if self.artifacts.get(key) is not None or artifact is None:
            return
        try:
            revision = Revision.parse(artifact.revision)
            credentials = await self.credentials.get(key, repository)
            shown = repository.status.verified
            tag_sha = (shown.tag if shown else None) or ""
            await self.verifications.check(key, repository, revision, credentials, tag_sha=tag_sha, restoring=True)
            included = self.includes.of(key, repository)
            trees = [each.tree for each in included if isinstance(each.tree, GitTree | GraftedTree)]
            addresses = self.addresses.of(key.namespace)
            tree = await self.trees.make(repository.spec, revision.sha, credentials, trees, addresses=addresses)
            await tree.digest("")
            rules = self._rules(key, repository, credentials)
        except (SourceError, ValueError):
            return
        verified = repository.spec.verify is not None
        restored = Artifact(tree, revision, None, self.clock.now(), included=included, bases=rules, verified=verified)
        if self.artifacts.put(key, restored):
            self.dependents.wake(key)

    async def _unreadable(self, key: Key) -> Outcome:
        invalid = self.desk.invalid(key)
        if invalid is None:
            self.artifacts.forget(key)
            self.credentials.forget(key)
            self.verifications.forget(key)
            self.journal.forget(key)
            self.queue.forget(key)
            self._asked.pop(key, None)
            self.dependents.wake(key)
            return Outcome.done()
        body, problem = invalid
        await self.journal.invalid(RESOURCE, body, problem, GitRepositoryStatus)
        return Outcome.failed(str(problem), retry=False)

    async def _report(self, repository: GitRepository, news: RepositoryNews) -> None:
        shown = repository.status
        last = self.journal.last(RESOURCE, repository.metadata, shown)
        status = repository_status(repository.model_copy(update={"status": last}), news, now_seconds=self.clock.now())
        await self.journal.write(RESOURCE, repository.metadata, shown, status)

    def _scattered(self, seconds: float) -> float:
        return seconds * (1 + JITTER * random.random())  # noqa: S311 - scatter of polls, no secret


def _news(artifact: Artifact) -> ArtifactNews:
    made = artifact.commit
    commit = None
    if made is not None:
        time = format_time(made.committer_time)
        commit = Commit(author=made.author, committer=made.committer, subject=made.subject, time=time)
    included = tuple(_news(each) for each in artifact.included)
    return ArtifactNews(artifact.revision, artifact.seen_at, commit, artifact.digest, included)
