"""GitRepositories: the commit that a ref names, verified where that is asked for, with its submodules and includes."""

from dataclasses import dataclass, field, replace

from trimtab.api import git_repository
from trimtab.api.git_repository import Commit, GitRepository, GitRepositoryStatus
from trimtab.api.model import Status
from trimtab.api.timestamps import format_time
from trimtab.core.errors import SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.fetch_meter import FetchMeter
from trimtab.reconcile.includes import Includes
from trimtab.reconcile.origins.origin import SourceNews
from trimtab.reconcile.ports import Clock, Git, GitCredentials
from trimtab.reconcile.queue import Key
from trimtab.reconcile.remote_bases import BaseRules, base_rules
from trimtab.reconcile.source_trees import SourceTrees, Tree
from trimtab.reconcile.verification import Verifications
from trimtab.report.repository import ArtifactNews, RepositoryNews, VerifiedNews, repository_status
from trimtab.source.addresses import NamespaceAddresses
from trimtab.source.artifact import tree_digest


@dataclass(slots=True, kw_only=True)
class GitOrigin:
    """Commits of Git servers."""

    git: Git
    includes: Includes
    credentials: CredentialCache
    verifications: Verifications
    meter: FetchMeter
    clock: Clock
    addresses: NamespaceAddresses
    trees: SourceTrees = field(init=False)

    resource = git_repository.RESOURCE
    model = GitRepository
    status = GitRepositoryStatus

    def __post_init__(self) -> None:
        self.trees = SourceTrees(git=self.git)

    async def fetch(self, key: Key, source: GitRepository, known: Artifact | None) -> Artifact:
        """See `Origin`."""
        spec, addresses = source.spec, self.addresses.of(key.namespace)
        included = self.includes.of(key, source)
        credentials = await self.credentials.get(key, source)
        fetching = self.git.fetch(
            spec.url, spec.ref.to_body(), credentials, timeout_seconds=spec.timeout_seconds, addresses=addresses
        )
        fetched = await self.meter.measure(fetching, lambda found: found.changed)
        arrived_at = self.clock.now()
        # Before anything of the commit is read: what is included and its submodules come after it.
        signed = await self.verifications.check(key, source, fetched.revision, credentials, tag_sha=fetched.tag_sha)
        known_tree = known.tree if known and isinstance(known.tree, Tree) else None
        tree = await self._tree(key, source, fetched.revision, credentials, included, known_tree)
        same = known is not None and known.revision == fetched.revision
        return Artifact(
            tree,
            fetched.revision,
            fetched.commit,
            known.seen_at if known and same else arrived_at,
            known.digest if known and known.tree == tree else tree_digest(await tree.digest("")),
            included=included,
            bases=self._rules(key, source, credentials),
            verified=spec.verify is not None,
            signed=signed,
        )

    async def recall(self, key: Key, source: GitRepository) -> Artifact | None:
        """See `Origin`."""
        told, shown = source.status.artifact, source.status.verified
        if told is None:
            return None
        try:
            revision = Revision.parse(told.revision)
            credentials = await self.credentials.get(key, source)
            tag_sha = (shown.tag if shown else None) or ""
            await self.verifications.check(key, source, revision, credentials, tag_sha=tag_sha, restoring=True)
            included = self.includes.of(key, source)
            tree = await self._tree(key, source, revision, credentials, included, None)
            await tree.digest("")
            rules = self._rules(key, source, credentials)
        except (SourceError, ValueError):
            return None
        verified = source.spec.verify is not None
        return Artifact(tree, revision, None, self.clock.now(), included=included, bases=rules, verified=verified)

    def report(self, source: GitRepository, last: Status, news: SourceNews, *, now_seconds: float) -> Status:
        """See `Origin`."""
        artifact, problem = news.artifact, news.problem
        signed = artifact.signed if artifact else None
        return repository_status(
            source.model_copy(update={"status": last}),
            RepositoryNews(
                artifact=_news(artifact) if artifact else None,
                problem=problem,
                suspended=news.suspended,
                verified=VerifiedNews(signed.by, signed.message) if signed else None,
                unverified=news.unverified,
            ),
            now_seconds=now_seconds,
        )

    def reread(self, key: Key) -> None:
        """See `Origin`."""
        self.credentials.forget(key)

    def forget(self, key: Key) -> None:
        """See `Origin`."""
        self.credentials.forget(key)
        self.verifications.forget(key)

    async def _tree(
        self,
        key: Key,
        source: GitRepository,
        revision: Revision,
        credentials: GitCredentials | None,
        included: tuple[Artifact, ...],
        known: Tree | None,
    ) -> Tree:
        trees = [each.tree for each in included if isinstance(each.tree, Tree)]
        addresses = self.addresses.of(key.namespace)
        return await self.trees.make(source.spec, revision.sha, credentials, trees, known=known, addresses=addresses)

    def _rules(self, key: Key, source: GitRepository, credentials: GitCredentials | None) -> BaseRules:
        """Raises SourceError where spec.remoteBases holds what is no URL."""
        rules = base_rules(key.kind, key.name, source.spec, self.addresses.of(key.namespace))
        return replace(rules, url=source.spec.url, credentials=credentials) if rules.prefixes else rules


def _news(artifact: Artifact) -> ArtifactNews:
    made = artifact.commit
    commit = None
    if made is not None:
        time = format_time(made.committer_time)
        commit = Commit(author=made.author, committer=made.committer, subject=made.subject, time=time)
    included = tuple(_news(each) for each in artifact.included)
    return ArtifactNews(artifact.revision, artifact.seen_at, commit, artifact.digest, included)
