"""From a commit and a path to manifests: materialise what the path needs, read it, run kustomize where it is asked for.

The loop gives a job; manifests come back with the folders that were read. Only those
folders are written to a scratch folder, the whole tree where something they refer to is not found in them. Parsing
happens in threads, so that the event loop goes on.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from trimtab.adapters.process.decryption import Decryption
from trimtab.adapters.process.kustomize import VERSION, Bounds, FileMissing, Kustomize
from trimtab.adapters.process.parse_cache import ParseCache
from trimtab.adapters.process.private_folder import memory_folder
from trimtab.adapters.process.sops import VERSION as SOPS_VERSION
from trimtab.adapters.process.tree import Tree
from trimtab.core.errors import RenderError, SourceError
from trimtab.core.manifest import Manifest
from trimtab.reconcile.ports import Folder, Rendered, RenderJob, SourceTree
from trimtab.render.closure import Closure, closure
from trimtab.render.diagnose import diagnose
from trimtab.render.folder import no_manifests, read_files
from trimtab.render.kustomization import Kustomization
from trimtab.render.kustomize_output import read_output
from trimtab.render.layout import layout, within
from trimtab.render.limits import DEFAULT_LIMITS, Limits
from trimtab.render.objects import Objects, duplicates
from trimtab.source.path import repository_path

_PATH_NOT_FOUND: Final = "PathNotFound"
"""The reason with which the Git port refuses a path that a commit has not."""


class KustomizeRenderer:
    """Implements the `Renderer` port of the loop."""

    def __init__(
        self,
        *,
        kustomize: Path | None,
        scratch: Path | None = None,
        limits: Limits = DEFAULT_LIMITS,
        bounds: Bounds | None = None,
        cache_bytes: int = 16 * 1024 * 1024,
        decryption: Decryption | None = None,
    ) -> None:
        """`kustomize` is the program, `scratch` the folder for materialised trees (the system's own where None)."""
        self._kustomize = Kustomize(kustomize, bounds or Bounds())
        self._scratch = scratch
        self._limits = limits
        self._cache = ParseCache(cache_bytes)
        self._decryption = decryption or Decryption(program=None, vault=memory_folder(), limits=limits)

    @property
    def tools(self) -> Mapping[str, str]:
        """The programs that render, name → version: part of the render key."""
        return {"kustomize": VERSION, "sops": SOPS_VERSION}

    async def render(self, job: RenderJob) -> Rendered:
        """Carry out a job. Raises RenderError with all problems at once, SourceError for a missing path."""
        path = repository_path(job.spec.path)
        with TemporaryDirectory(
            dir=self._decryption.folder(job.spec, self._scratch), prefix="trimtab-tree-"
        ) as scratch:
            source = job.tree
            await source.materialise([path], Path(scratch))
            tree = await asyncio.to_thread(Tree, Path(scratch), self._limits)
            found = await self._gather(source, tree, path)
            try:
                return Rendered(await self._build_all(job, tree, path, found), _own(found.folders))
            except FileMissing:
                # A reference that only kustomize can see: with all files at hand it is right or wrong for good.
                await source.materialise([""], tree.root)
            found = replace(await self._gather(source, tree, path), folders=("",))
            return Rendered(await self._build_all(job, tree, path, found), _own(found.folders))

    async def _build_all(self, job: RenderJob, tree: Tree, path: str, found: Closure) -> tuple[Manifest, ...]:
        """Raises as `_render`."""
        return await self._decryption.around(job, tree, (path, found), partial(self._render, tree, path, found))

    async def _gather(self, source: SourceTree, tree: Tree, path: str) -> Closure:
        """Materialise what the path's kustomizations refer to, and what these refer to, until nothing is wanting."""
        written = {path}
        while True:
            await asyncio.to_thread(tree.refresh)
            found = await asyncio.to_thread(closure, tree.files, path, tree.read, tree.links)
            wanting = [folder for folder in found.folders if not any(within(folder, one) for one in written)]
            if not wanting:
                return found
            written.update(wanting)
            for folder in wanting:
                await self._materialise_if_there(source, folder, tree.root)

    @staticmethod
    async def _materialise_if_there(source: SourceTree, folder: str, root: Path) -> None:
        """A folder that does not exist is told where it is referred to, so its absence is no failure of the source."""
        try:
            await source.materialise([folder], root)
        except SourceError as error:
            if error.reason != _PATH_NOT_FOUND:
                raise

    async def _render(self, tree: Tree, path: str, found: Closure) -> tuple[Manifest, ...]:
        """Raises RenderError; FileMissing, one of them, where a build wants a file that the closure has not seen."""
        if problems := (*found.problems, *found.unresolved):
            raise RenderError(*problems)
        parts = layout(tree.files, path)
        read = [await asyncio.to_thread(read_files, parts.files, tree.read, limits=self._limits, memo=self._cache)]
        read += [await self._build(tree, found, found.kustomizations[folder]) for folder in parts.builds]
        manifests = tuple(chain.from_iterable(part.manifests for part in read))
        problems = (*chain.from_iterable(part.problems for part in read), *duplicates(manifests))
        if not manifests and not problems:
            problems = (no_manifests(path),)
        if problems:
            raise RenderError(*problems)
        return manifests

    async def _build(self, tree: Tree, found: Closure, kustomization: Kustomization) -> Objects:
        """Build one folder; what is wrong with it becomes problems, so that other folders are looked at, too."""
        try:
            stdout = await self._kustomize.build(tree, kustomization)
        except RenderError as error:
            if isinstance(error, FileMissing) and "" not in found.folders:
                raise
            precise = await asyncio.to_thread(diagnose, found, tree.find, limits=self._limits)
            return Objects((), precise or error.problems)
        return await asyncio.to_thread(
            read_output, stdout, kustomization, tree.find, limits=self._limits, memo=self._cache
        )


def _own(folders: tuple[str, ...]) -> tuple[Folder, ...]:
    """Folders of the Application's own source."""
    return tuple(("", folder) for folder in folders)
