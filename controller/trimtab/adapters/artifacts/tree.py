"""An unpacked artifact as `SourceTree`: its listing answers for digests, its files are copied out."""

import asyncio
import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from trimtab.adapters.artifacts.archive import Listing
from trimtab.core.errors import Problem, SourceError
from trimtab.source.path import repository_path, within
from trimtab.source.tree_budget import TreeBudget, stored_bytes


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class ArtifactTree:
    """The files of one artifact. As long as somebody holds the tree, the store keeps its folder."""

    identity: str
    revision: str
    root: Path
    listing: Listing

    async def digest(self, path: str) -> str:
        """A hash of all that lies in a folder. Raises SourceError (PathNotFound)."""
        folder = repository_path(path)
        names = self._below(folder)
        sum_of = sha256()
        for name in names:
            sum_of.update(f"{name[len(folder) :]}\0{self.listing[name]}\0".encode())
        return sum_of.hexdigest()

    async def look_up(self, paths: Collection[str]) -> None:
        """The listing is at hand."""

    async def materialise(self, paths: Sequence[str], target: Path, *, budget: TreeBudget | None = None) -> None:
        """Copy the files under `paths` below `target`. Raises SourceError (PathNotFound, TooManyBytes)."""
        names = sorted({name for path in paths for name in self._below(repository_path(path))})
        await asyncio.to_thread(self._copy, names, target, budget)

    def _below(self, folder: str) -> list[str]:
        names = sorted(name for name in self.listing if within(name, (folder,)))
        if names in ([], [folder]):
            remedy = "check spec.path against what the artifact holds"
            message = f"the artifact has no folder {folder or '.'}"
            raise SourceError(Problem(message, reason="PathNotFound", remedy=remedy))
        return names

    def _copy(self, names: list[str], target: Path, budget: TreeBudget | None) -> None:
        missing = [name for name in names if not os.path.lexists(target / name)]
        if budget:
            budget.spend(sum(stored_bytes((self.root / name).lstat().st_size) for name in missing))
        for name in missing:
            source, place = self.root / name, target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                place.symlink_to(source.readlink())
            else:
                shutil.copyfile(source, place, follow_symlinks=False)
