"""A commit of a mirror as `SourceTree`: what the Git port needs to be asked each time, kept together.

`repositories` makes one for each artifact; desired states and the renderer read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab.reconcile.ports import Git, GitCredentials


@dataclass(frozen=True, slots=True)
class GitTree:
    """The files of `sha` in the mirror of an URL. Two are the same source where URL and credentials are."""

    git: Git
    url: str
    credentials: GitCredentials | None
    sha: str

    @property
    def identity(self) -> str:
        """The URL."""
        return self.url

    @property
    def revision(self) -> str:
        """The commit."""
        return self.sha

    async def digest(self, path: str) -> str:
        """The tree SHA of a folder. Raises SourceError."""
        return await self.git.tree(self.url, self.credentials, self.sha, path)

    async def materialise(self, paths: Sequence[str], target: Path) -> None:
        """Write the files under `paths` below `target`. Raises SourceError."""
        await self.git.materialise(self.url, self.credentials, self.sha, paths, target)
