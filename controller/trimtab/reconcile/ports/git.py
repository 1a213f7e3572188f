"""Git as the loop needs it: mirrors that fetch refs, hash folders and hand out files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trimtab.core.revision import Revision
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.credentials import GitCredentials

__all__ = ["CommitInfo", "Fetched", "Git", "GitCredentials"]


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
        """The tree SHA of a folder at a commit. Raises SourceError where the path is absent or no folder."""
        ...

    async def raw_object(self, url: str, credentials: GitCredentials | None, sha: str, *, tag_sha: str = "") -> bytes:
        """The bytes of a fetched commit, or of the tag object fetched with it. Raises SourceError."""
        ...

    async def materialise(
        self, url: str, credentials: GitCredentials | None, sha: str, paths: Sequence[str], target: Path
    ) -> None:
        """Write the files under `paths` (all: `[""]`) at a commit below `target`; no symlink may leave it."""
        ...
