"""The newest artifact of each source: the sources' reconcilers put them, the Application's takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from trimtab.core.revision import Revision
from trimtab.reconcile.ports import CommitInfo, SourceTree
from trimtab.reconcile.queue import Key
from trimtab.reconcile.remote_bases import NO_BASES, BaseRules
from trimtab.reconcile.verification import Verified


@dataclass(frozen=True, slots=True)
class Artifact:
    """A revision at hand."""

    tree: SourceTree
    """Its files."""
    revision: Revision
    commit: CommitInfo | None
    """None where the mirror was found with the commit, but its metadata is not at hand."""
    seen_at: float
    """When it was first seen, seconds since the epoch."""
    digest: str = ""
    """Of all files, like `sha1:<tree SHA>`; empty where it is not at hand."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the artifact says of itself."""
    signed_by: str = ""
    """The key that fits its signature, where one was asked for."""
    included: tuple["Artifact", ...] = ()
    """What was included, in the order of the spec."""
    signed: Verified | None = None
    """Who signed its commit or tag, where that was asked for."""
    bases: BaseRules = NO_BASES
    """Which remote bases its kustomizations may name."""
    verified: bool = False
    """Whether it had to carry a signature: then nothing that nobody signed may be brought in by its files."""

    @property
    def terms(self) -> tuple[str, ...]:
        """What renderings of it depend on beside its files."""
        return (*self.bases.prefixes, *(("verified",) if self.verified else ()))


class Artifacts:
    """Repository key → newest artifact. What is here stays when a later fetch fails."""

    def __init__(self) -> None:
        self._newest: dict[Key, Artifact] = {}
        self._tried: set[Key] = set()

    def get(self, repository: Key) -> Artifact | None:
        """The newest artifact, None before the first fetch."""
        return self._newest.get(repository)

    def is_news(self, repository: Key, artifact: Artifact) -> bool:
        """Whether its revision, address or rules differ from those of the newest."""
        last = self._newest.get(repository)
        return last is None or _sort(last) != _sort(artifact)

    def put(self, repository: Key, artifact: Artifact) -> bool:
        """Make an artifact the newest; whether it is news."""
        news = self.is_news(repository, artifact)
        self._newest[repository] = artifact
        return news

    def freeze(self, repository: Key) -> None:
        """The source is suspended: what uses it stays at what it has, remote bases included."""
        artifact = self._newest.get(repository)
        if artifact is not None and artifact.bases.prefixes:
            self._newest[repository] = replace(artifact, bases=artifact.bases.suspended())

    def tried(self, repository: Key) -> bool:
        """Whether a fetch has ended, well or not, since this process began."""
        return repository in self._tried

    def mark_tried(self, repository: Key) -> bool:
        """A fetch has ended; whether it was the first."""
        first = repository not in self._tried
        self._tried.add(repository)
        return first

    def forget(self, repository: Key) -> None:
        """The repository is gone."""
        self._tried.discard(repository)
        self._newest.pop(repository, None)


def _sort(artifact: Artifact) -> tuple[str, str, Revision, BaseRules, bool]:
    """What makes an artifact another one. The tree's own revision also tells what was included."""
    return artifact.tree.identity, artifact.tree.revision, artifact.revision, artifact.bases, artifact.verified
