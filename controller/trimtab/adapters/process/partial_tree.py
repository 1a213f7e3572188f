"""A source of which only some folders are written, each with what its symbolic links lead to.

The chart stage asks for folders as it learns of them; what was asked for goes into the render key.
"""

import asyncio
from posixpath import dirname
from typing import Final

from trimtab.adapters.process.tree import Tree
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import SourceTree
from trimtab.render.closure import closure
from trimtab.render.layout import is_kustomization, outermost, within
from trimtab.source.tree_budget import TreeBudget

_PATH_NOT_FOUND: Final = "PathNotFound"


class PartialTree:
    """The files of `source` as far as they were asked for, in `tree`; `budget` is that of the whole rendering."""

    def __init__(self, source: SourceTree, tree: Tree, budget: TreeBudget) -> None:
        self._source = source
        self.tree = tree
        self.budget = budget
        self._written: set[str] = set()
        self._counted: set[str] = set()

    @property
    def folders(self) -> tuple[str, ...]:
        """What to look at to see whether anything asked for has changed: the outermost folders."""
        return outermost(self._counted)

    def asked(self, folder: str) -> bool:
        """Whether a folder was asked for, itself or with one above it."""
        return any(within(folder, one) for one in self._written)

    async def want(self, folder: str) -> None:
        """Write a folder. Of one that does not exist the nearest above that does counts, in which it may come to be.

        Raises SourceError, RenderError.
        """
        todo = [folder]
        while todo:
            for one in todo:
                self._counted.add(one if await self._write(one) else await self._nearest(one))
            await asyncio.to_thread(self.tree.refresh)
            todo = [one for one in await asyncio.to_thread(self._linked, folder) if not self.asked(one)]

    async def _write(self, folder: str) -> bool:
        self._written.add(folder)
        try:
            await self._source.materialise([folder], self.tree.root, budget=self.budget)
        except SourceError as error:
            if error.reason != _PATH_NOT_FOUND:
                raise
            return False
        return True

    async def _nearest(self, folder: str) -> str:
        while folder:
            folder = dirname(folder)
            try:
                await self._source.digest(folder)
            except SourceError as error:
                if error.reason != _PATH_NOT_FOUND:
                    raise
            else:
                return folder
        return ""

    def _linked(self, folder: str) -> tuple[str, ...]:
        """The folder and all that links below it lead to; kustomizations mean nothing here."""
        listing = frozenset(name for name in self.tree.files if not is_kustomization(name))
        return closure(listing, folder, self.tree.read, self.tree.links).folders
