"""A commit of a mirror as `SourceTree`: what the Git port needs to be asked each time, kept together.

`source_trees` makes one for each artifact; desired states and the renderer read it.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import Git, GitCredentials
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.path import repository_path
from trimtab.source.selection import EVERYTHING, Selection
from trimtab.source.tree_budget import TreeBudget

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class GitTree:
    """The files of `sha` in the mirror of an URL that a selection leaves.

    Two are the same source where URL, credentials and rules are. `root` is the SHA of what is left: the commit's own,
    where that is all of it.
    """

    git: Git
    url: str
    credentials: GitCredentials | None
    sha: str
    selection: Selection = EVERYTHING
    root: str = ""
    lfs: bool = False
    addresses: AddressPolicy = ANYWHERE
    """Where whoever declares the repository may go, for those who ask its server about it."""
    _digests: dict[str, str] = field(init=False, default_factory=dict, repr=False, compare=False)
    """Of folders that were asked for: they never change, and all Applications of an artifact share one tree."""

    @property
    def identity(self) -> str:
        """The URL, and what stands for the rules."""
        rules = f"{self.selection.digest}{'+lfs' if self.lfs else ''}"
        return f"{self.url}#{rules}" if rules else self.url

    @property
    def revision(self) -> str:
        """The commit."""
        return self.sha

    @property
    def read(self) -> str:
        """What the Git port is asked for."""
        return self.root or self.sha

    async def selected(self) -> "GitTree":
        """The same with `root` filled. Raises SourceError."""
        return replace(self, root=await self.git.select(self.url, self.credentials, self.sha, self.selection))

    async def at(self, sha: str) -> "GitTree":
        """The same rules at another commit of the mirror. Raises SourceError."""
        return await replace(self, sha=sha, root="").selected()

    async def part(self, folder: str) -> "GitTree":
        """A folder of it as a tree of its own. Raises SourceError (PathNotFound)."""
        path = repository_path(folder)
        if not path:
            return self
        whole = "/".join(filter(None, (self.selection.folder, path)))
        return await replace(self, selection=replace(self.selection, folder=whole)).selected()

    async def digest(self, path: str) -> str:
        """The tree SHA of a folder. Raises SourceError."""
        found = self._digests.get(path)
        if found is None:
            found = await self._reading(lambda: self.git.tree(self.url, self.credentials, self.read, path))
            self._digests[path] = found
        return found

    async def look_up(self, paths: Collection[str]) -> None:
        """Have the tree SHAs of these folders at hand. Raises SourceError."""
        unknown = sorted(set(paths) - self._digests.keys())
        if unknown:
            found = await self._reading(lambda: self.git.trees(self.url, self.credentials, self.read, unknown))
            self._digests.update(found)

    async def materialise(self, paths: Sequence[str], target: Path, *, budget: TreeBudget | None = None) -> None:
        """Write the files under `paths` below `target`. Raises SourceError."""
        await self._reading(
            lambda: self.git.materialise(
                self.url, self.credentials, self.read, paths, target, lfs=self.lfs, budget=budget
            )
        )

    async def _reading(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """What was selected goes with a mirror that had to be made anew, and comes back by the same rules."""
        if self.read == self.sha:
            return await ask()
        try:
            return await ask()
        except SourceError as error:
            if error.reason != "CommitNotFetched":
                raise self._speaking_of_commit(error) from None
            await self.selected()
        return await ask()

    def _speaking_of_commit(self, error: SourceError) -> SourceError:
        """Users know the commit, not the tree that was made of it."""
        tree, commit = self.read[:12], self.sha[:12]
        return SourceError(
            *(replace(problem, message=problem.message.replace(tree, commit)) for problem in error.problems)
        )
