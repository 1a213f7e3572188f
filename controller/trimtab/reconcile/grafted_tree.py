"""A tree with other trees put into folders of it: included repositories and submodules.

`source_trees` makes it; whoever reads it sees one tree. What lies at the place of a graft in the base must have been
left out of the base before.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.git_tree import GitTree
from trimtab.source.path import repository_path, within
from trimtab.source.tree_budget import TreeBudget

_ABSENT = "PathNotFound"


@dataclass(frozen=True, slots=True)
class Graft:
    """A tree, and the folder (a normal path, not the root) that it is put into."""

    path: str
    tree: "GitTree | GraftedTree"


@dataclass(frozen=True, slots=True)
class GraftedTree:
    """`grafts` do not lie within each other. `base` is None where the tree is a part that holds grafts only."""

    base: "GitTree | GraftedTree | None"
    grafts: tuple[Graft, ...]

    @property
    def identity(self) -> str:
        """Those of all trees, and where they stand."""
        return self._joined([(graft.path, graft.tree.identity) for graft in self.grafts], "identity")

    @property
    def revision(self) -> str:
        """Those of all trees."""
        return self._joined([(graft.path, graft.tree.revision) for graft in self.grafts], "revision")

    def _joined(self, parts: list[tuple[str, str]], name: str) -> str:
        base = str(getattr(self.base, name)) if self.base else ""
        return " ".join([base, *(f"{path}={text}" for path, text in parts)])

    async def part(self, folder: str) -> "GitTree | GraftedTree":
        """A folder of it as a tree of its own. Raises SourceError (PathNotFound)."""
        path = repository_path(folder)
        for graft in self.grafts:
            if within(path, (graft.path,)):
                return await graft.tree.part(_below(path, graft.path))
        inside = tuple(
            Graft(_below(graft.path, path), graft.tree) for graft in self.grafts if within(graft.path, (path,))
        )
        try:
            base = await self.base.part(path) if self.base else None
        except SourceError as error:
            if error.reason != _ABSENT or not inside:
                raise
            base = None
        if base is None and not inside:
            raise _missing(path)
        return GraftedTree(base, inside) if inside or base is None else base

    async def digest(self, path: str) -> str:
        """A hash of all that lies in a folder. Raises SourceError (PathNotFound) where there is none."""
        path = repository_path(path)
        for graft in self.grafts:
            if within(path, (graft.path,)):
                return await graft.tree.digest(_below(path, graft.path))
        inside = [graft for graft in self.grafts if within(graft.path, (path,))]
        try:
            own = await self._base(path).digest(path)
        except SourceError as error:
            if error.reason != _ABSENT or not inside:
                raise
            own = ""
        if not inside:
            return own
        digest = sha256(own.encode())
        for graft in sorted(inside, key=lambda each: each.path):
            digest.update(f"\0{_below(graft.path, path)}\0{await graft.tree.digest('')}".encode())
        return digest.hexdigest()

    async def look_up(self, paths: Collection[str]) -> None:
        """Have at hand what `digest` needs for these folders. Raises SourceError."""
        left = set(paths)
        for graft in self.grafts:
            below = {path for path in left if within(path, (graft.path,))}
            left -= below
            around = [path for path in left if within(graft.path, (path,))]
            await graft.tree.look_up([*(_below(path, graft.path) for path in below), *([""] if around else [])])
        if self.base:
            await self.base.look_up(left)

    async def materialise(self, paths: Sequence[str], target: Path, *, budget: TreeBudget | None = None) -> None:
        """Write the files under `paths` below `target`. Raises SourceError."""
        for path in map(repository_path, paths):
            await self._materialise(path, target, budget)

    async def _materialise(self, path: str, target: Path, budget: TreeBudget | None) -> None:
        for graft in self.grafts:
            if within(path, (graft.path,)):
                await graft.tree.materialise([_below(path, graft.path)], target / graft.path, budget=budget)
                return
        inside = [graft for graft in self.grafts if within(graft.path, (path,))]
        try:
            await self._base(path).materialise([path], target, budget=budget)
        except SourceError as error:
            if error.reason != _ABSENT or not inside:
                raise
        for graft in inside:
            await graft.tree.materialise([""], target / graft.path, budget=budget)

    def _base(self, path: str) -> "GitTree | GraftedTree":
        if self.base is None:
            raise _missing(path)
        return self.base


def _below(path: str, folder: str) -> str:
    """A path that lies within a folder, relative to it."""
    return path[len(folder) :].lstrip("/")


def _missing(path: str) -> SourceError:
    return SourceError(
        Problem(f"folder {path} does not exist", reason=_ABSENT, remedy="check the path, and what is included")
    )
