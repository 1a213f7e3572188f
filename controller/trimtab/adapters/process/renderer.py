"""From a commit and a path to manifests: materialise what the path needs, read it, run kustomize where it is asked for.

The loop gives the Git port, a commit and a path; manifests come back with the folders that were read. Only those
folders are written to a scratch folder, the whole tree where something they refer to is not found in them. Parsing
happens in threads, so that the event loop goes on.
"""

import asyncio
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from trimtab.adapters.process.kustomize import VERSION, Bounds, Kustomize
from trimtab.adapters.process.parse_cache import ParseCache
from trimtab.adapters.process.tree import Tree
from trimtab.core.errors import RenderError, SourceError
from trimtab.reconcile.ports import Git, GitCredentials, Rendered
from trimtab.render.closure import Closure, closure
from trimtab.render.diagnose import diagnose
from trimtab.render.folder import no_manifests, read_files
from trimtab.render.kustomization import Kustomization
from trimtab.render.kustomize_output import read_output
from trimtab.render.layout import layout
from trimtab.render.limits import DEFAULT_LIMITS, Limits
from trimtab.render.objects import Objects, duplicates


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
    ) -> None:
        """`kustomize` is the program, `scratch` the folder for materialised trees (the system's own where None)."""
        self._kustomize = Kustomize(kustomize, bounds or Bounds())
        self._scratch = scratch
        self._limits = limits
        self._cache = ParseCache(cache_bytes)

    @property
    def tools(self) -> Mapping[str, str]:
        """The programs that render, name → version: part of the render key."""
        return {"kustomize": VERSION}

    async def render(self, git: Git, url: str, credentials: GitCredentials | None, sha: str, path: str) -> Rendered:
        """Render a folder at a commit. Raises RenderError with all problems at once, SourceError for a missing path."""
        with TemporaryDirectory(dir=self._scratch, prefix="trimtab-tree-") as scratch:
            root = Path(scratch)
            await git.materialise(url, credentials, sha, [path], root)
            tree = await asyncio.to_thread(Tree, root, self._limits)
            found = await asyncio.to_thread(closure, tree.files, path, tree.read)
            written = {path}
            while found.missing and "" not in written:
                wanted = sorted(set(found.missing) - written) or [""]
                written |= set(wanted)
                written |= await self._widen(git, url, credentials, sha, wanted, root)
                await asyncio.to_thread(tree.refresh)
                found = await asyncio.to_thread(closure, tree.files, path, tree.read)
            manifests = await self._render(tree, path, found)
            folders = ("",) if "" in written else found.folders
            return Rendered(manifests=manifests.manifests, folders=folders)

    async def _widen(
        self, git: Git, url: str, credentials: GitCredentials | None, sha: str, wanted: list[str], root: Path
    ) -> set[str]:
        """Materialise more folders; the whole tree where one of them is none. Returns what else was written."""
        try:
            await git.materialise(url, credentials, sha, wanted, root)
        except SourceError:
            await git.materialise(url, credentials, sha, [""], root)
            return {""}
        return set()

    async def _render(self, tree: Tree, path: str, found: Closure) -> Objects:
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
        return Objects(manifests, ())

    async def _build(self, tree: Tree, found: Closure, kustomization: Kustomization) -> Objects:
        """Build one folder; what is wrong with it becomes problems, so that other folders are looked at, too."""
        try:
            stdout = await self._kustomize.build(tree, kustomization)
        except RenderError as error:
            precise = await asyncio.to_thread(diagnose, found, tree.find, limits=self._limits)
            return Objects((), precise or error.problems)
        return await asyncio.to_thread(
            read_output, stdout, kustomization, tree.find, limits=self._limits, memo=self._cache
        )
