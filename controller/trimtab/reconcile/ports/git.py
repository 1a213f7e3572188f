"""Git as the loop needs it: mirrors that fetch refs, hash folders and hand out files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trimtab.core.authorship import LastChange
from trimtab.core.manifest import Origin
from trimtab.core.revision import Revision
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.credentials import GitCredentials
from trimtab.source.selection import Selection
from trimtab.source.submodules import Submodule
from trimtab.source.tree_budget import TreeBudget

__all__ = ["CommitInfo", "Fetched", "Git", "GitCredentials", "History", "Span"]


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """Who made a commit and when; times in seconds since the epoch."""

    sha: str
    author: str
    author_time: float
    committer: str
    committer_time: float
    subject: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetch's result. `changed` False: the remote stood where it stood. `tree_sha` is the commit's root tree.

    `tag_sha` is the tag object's, where the ref is an annotated tag; it may change while the commit stays.
    """

    revision: Revision
    commit: CommitInfo
    changed: bool
    tree_sha: str = ""
    tag_sha: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """What lies between two revisions, newest commits first.

    `added` are those that only the newer one has, `dropped` those that only the older one has: none, unless history
    was rewritten or a branch set back. `truncated`: there are more. `related` False: no commit leads to both, or the
    older one is nowhere to be had any more, so that nothing can be told of what lies between.
    """

    added: tuple[CommitInfo, ...] = ()
    dropped: tuple[CommitInfo, ...] = ()
    truncated: bool = False
    related: bool = True


class History(Protocol):
    """Who did what before: asked for when somebody wants to know, never on the way of a commit to the cluster."""

    async def between(
        self,
        url: str,
        credentials: GitCredentials | None,
        *,
        newer: str,
        older: str,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Span:
        """The commits that lead from one SHA to the other. Raises SourceError where the server cannot be asked."""
        ...

    async def last_changes(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        places: Sequence[Origin],
        *,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Mapping[Origin, LastChange]:
        """The commit before or at `sha` that last changed each file (the line, where it can be told cheaply).

        What would cost too much is left out. Raises SourceError.
        """
        ...


class Git(Protocol):
    """Mirrors of repositories: one per URL and credential, fetched once for all that use it."""

    async def fetch(
        self,
        url: str,
        ref: Mapping[str, str],
        credentials: GitCredentials | None,
        *,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> Fetched:
        """Resolve `ref` (as in GitRepository.spec.ref), fetch its tip from an allowed address. Raises SourceError."""
        ...

    async def tree(self, url: str, credentials: GitCredentials | None, sha: str, path: str) -> str:
        """The tree SHA of a folder at a commit, or in a tree that `select` made.

        Raises SourceError where the path is absent or no folder.
        """
        ...

    async def trees(
        self, url: str, credentials: GitCredentials | None, sha: str, paths: Sequence[str]
    ) -> Mapping[str, str]:
        """The tree SHA of each of these folders, by one look; what is absent or no folder is left out.

        Raises SourceError.
        """
        ...

    async def raw_object(self, url: str, credentials: GitCredentials | None, sha: str, *, tag_sha: str = "") -> bytes:
        """The bytes of a fetched commit, or of the tag object fetched with it. Raises SourceError."""
        ...

    async def materialise(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        paths: Sequence[str],
        target: Path,
        *,
        lfs: bool = False,
        budget: TreeBudget | None = None,
    ) -> None:
        """Write the files under `paths` (all: `[""]`) of a commit or selected tree below `target`.

        No symlink may leave it. `lfs`: with what `fetch_large` brought in place of LFS pointers. `budget` is
        what may still be written.
        """
        ...

    async def select(self, url: str, credentials: GitCredentials | None, sha: str, selection: Selection) -> str:
        """The SHA of the tree that is left of a fetched commit; kept as long as the commit. Raises SourceError."""
        ...

    async def submodules(self, url: str, credentials: GitCredentials | None, sha: str) -> Sequence[Submodule]:
        """The submodules of a commit or selected tree, as it declares them. Raises SourceError."""
        ...

    async def fetch_large(
        self,
        url: str,
        credentials: GitCredentials | None,
        sha: str,
        *,
        timeout_seconds: float,
        addresses: AddressPolicy = ANYWHERE,
    ) -> None:
        """Have at hand what the LFS pointers of a commit or selected tree stand for. Raises SourceError."""
        ...
