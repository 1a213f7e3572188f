"""From a commit and a path to manifests: materialise what the path needs, read it, run kustomize or helm where asked.

The loop gives a job; manifests come back with the folders that were read. Only those
folders are written to a scratch folder, the whole tree where something they refer to is not found in them. Parsing
happens in threads, so that the event loop goes on.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from posixpath import dirname
from tempfile import TemporaryDirectory
from typing import Final

from trimtab.adapters.process import jsonnet
from trimtab.adapters.process.decryption import Decryption, used_files
from trimtab.adapters.process.helm import VERSION as HELM_VERSION
from trimtab.adapters.process.helm import Helm
from trimtab.adapters.process.helm_charts import HelmCharts
from trimtab.adapters.process.jsonnet import ImportMissing, evaluate
from trimtab.adapters.process.kustomize import VERSION, Bounds, FileMissing, Kustomize
from trimtab.adapters.process.parse_cache import ParseCache
from trimtab.adapters.process.private_folder import memory_folder
from trimtab.adapters.process.remote_bases import RemoteBasesOfJob
from trimtab.adapters.process.sops import VERSION as SOPS_VERSION
from trimtab.adapters.process.tree import Tree
from trimtab.api.directory import JsonnetSpec
from trimtab.api.kustomize import KustomizeSpec
from trimtab.core.errors import Problem, RenderError, SourceError
from trimtab.core.manifest import Manifest
from trimtab.reconcile.ports import Folder, Rendered, RenderJob, SourceTree
from trimtab.reconcile.ports.downloads import Charts
from trimtab.render.closure import Closure, closure
from trimtab.render.diagnose import diagnose
from trimtab.render.folder import no_manifests, read_files, read_generated
from trimtab.render.helm_chart import chart_folder
from trimtab.render.kustomization import Kustomization, generated_kustomization
from trimtab.render.kustomize_output import read_output
from trimtab.render.layout import Layout, Selection, inner_path, layout, outermost, selection, within
from trimtab.render.limits import DEFAULT_LIMITS, Limits
from trimtab.render.objects import Objects, Shaper, duplicates
from trimtab.render.overlay import builds
from trimtab.render.shaping import Provisional, Shaping
from trimtab.source.path import repository_path
from trimtab.source.tree_budget import TreeBudget

_PATH_NOT_FOUND: Final = "PathNotFound"
"""The reason with which the Git port refuses a path that a commit has not."""
_NO_PROGRAMS: Final = Problem(
    "spec.kustomize and spec.directory.jsonnet exclude each other",
    remedy="take one of them off, or write a kustomization beside what Jsonnet makes",
    reason="InvalidSpec",
)


class KustomizeRenderer:
    """Implements the `Renderer` port of the loop."""

    def __init__(
        self,
        *,
        kustomize: Path | None,
        helm: Path | None = None,
        scratch: Path | None = None,
        limits: Limits = DEFAULT_LIMITS,
        bounds: Bounds | None = None,
        cache_bytes: int = 16 * 1024 * 1024,
        decryption: Decryption | None = None,
        charts: Charts | None = None,
    ) -> None:
        """`kustomize` and `helm` are the programs, `scratch` the folder for materialised trees (None: the system's).

        `charts` fetches what charts depend on by their lock.
        """
        self._kustomize = Kustomize(kustomize, bounds or Bounds())
        self._scratch = scratch
        self._limits = limits
        self._cache = ParseCache(cache_bytes)
        self._decryption = decryption or Decryption(program=None, vault=memory_folder(), limits=limits)
        self._charts = HelmCharts(
            Helm(helm, bounds or Bounds()), limits=limits, memo=self._cache, decryption=self._decryption, charts=charts
        )

    @property
    def tools(self) -> Mapping[str, str]:
        """The programs that render, name → version: part of the render key."""
        return {"kustomize": VERSION, "jsonnet": jsonnet.VERSION, "helm": HELM_VERSION, "sops": SOPS_VERSION}

    async def render(self, job: RenderJob) -> Rendered:
        """Carry out a job. Raises RenderError with all problems at once, SourceError for a missing path."""
        path = repository_path(job.spec.path)
        place = self._decryption.folder(job.spec, self._scratch)
        with TemporaryDirectory(dir=place, prefix="trimtab-tree-") as scratch:
            source, budget = job.tree, TreeBudget(self._limits.tree_bytes)
            await source.materialise([path], Path(scratch), budget=budget)
            tree = await asyncio.to_thread(Tree, Path(scratch), self._limits)
            work = self._work(job, path, tree)
            if (chart := chart_folder(tree.files, path)) is not None:
                return await self._charts.render(job, tree, chart, shape=work.shaping, scratch=place, budget=budget)
            found = await self._gather(source, work, budget)
            try:
                return await self._build_all(work, found)
            except FileMissing:
                # A reference that only the program can see: with all files at hand it is right or wrong for good.
                await source.materialise([""], tree.root, budget=budget)
                await work.bases.write_all(found, tree.root, budget)
            found = await self._gather(source, work, budget)
            whole = replace(found, folders=("",), left_out=frozenset(), remote=tuple(found.bases))
            return await self._build_all(work, whole)

    async def _build_all(self, work: "_Work", found: Closure) -> Rendered:
        """Raises as `_render`."""
        used = used_files(work.tree, work.path, found, work.selected)
        names = work.bases.names
        try:
            built = await self._decryption.around(work.job, work.tree, used, partial(self._render, work, found))
        except RenderError as error:
            # Of the same kind: the caller tells some from others.
            raise type(error)(*names.problems(error.problems)) from None
        folders = (*await _own(work.job.tree, found), *work.bases.read(found))
        return Rendered(names.manifests(built), folders, bases=tuple(found.bases.values()))

    def _work(self, job: RenderJob, path: str, tree: Tree) -> "_Work":
        overlay = job.spec.kustomize if builds(job.spec.kustomize) else None
        shaping = Shaping(job.spec, job.inputs, limits=self._limits, read_source=tree.find)
        return _Work(job, path, tree, selection(job.spec.directory), overlay, shaping, RemoteBasesOfJob(job))

    async def _gather(self, source: SourceTree, work: "_Work", budget: TreeBudget) -> Closure:
        """Materialise what the path's kustomizations refer to, and what these refer to, until nothing is wanting."""
        tree = work.tree
        await self._materialise_if_there(source, work.libraries, tree.root, budget)
        written = {work.path, *work.libraries}
        while True:
            await asyncio.to_thread(tree.refresh)
            found = await asyncio.to_thread(work.closure)
            wanting = [folder for folder in found.folders if not any(within(folder, one) for one in written)]
            written.update(wanting)
            await self._materialise_if_there(source, wanting, tree.root, budget)
            if not await work.bases.write(found, tree.root, budget) and not wanting:
                return found

    @staticmethod
    async def _materialise_if_there(source: SourceTree, folders: Iterable[str], root: Path, budget: TreeBudget) -> None:
        """A folder that does not exist is told where it is referred to, so its absence is no failure of the source."""
        for folder in folders:
            try:
                await source.materialise([folder], root, budget=budget)
            except SourceError as error:
                if error.reason != _PATH_NOT_FOUND:
                    raise

    async def _render(self, work: "_Work", found: Closure) -> tuple[Manifest, ...]:
        """Raises RenderError; FileMissing, one of them, where a build wants a file that the closure has not seen."""
        if problems := (*found.problems, *found.unresolved):
            raise RenderError(*problems)
        parts = layout(work.tree.files, work.path, work.selected)
        if work.overlay is not None and work.path not in parts.builds:
            read = [await self._build_plain(work, found, parts, work.overlay)]
        else:
            read = [await self._read_files(work, parts.files, shape=work.shaping)]
            read += [await self._build(work, found, found.kustomizations[folder]) for folder in parts.builds]
            read += [await self._evaluate(work, program, found) for program in parts.programs]
        manifests = tuple(chain.from_iterable(part.manifests for part in read))
        problems = (*chain.from_iterable(part.problems for part in read), *duplicates(manifests))
        if not manifests and not problems:
            problems = (no_manifests(work.path),)
        if problems:
            raise RenderError(*problems)
        return manifests

    async def _read_files(self, work: "_Work", files: Iterable[str], *, shape: Shaper) -> Objects:
        return await asyncio.to_thread(
            read_files, files, work.tree.read, limits=self._limits, memo=self._cache, shape=shape
        )

    async def _build_plain(self, work: "_Work", found: Closure, parts: Layout, overlay: KustomizeSpec) -> Objects:
        """A plain folder that the spec adds something to: built as a kustomization that lists all there is in it.

        Read before, since then every problem is told, with its line; empty files and data are left out.
        """
        if parts.programs:
            return Objects((), (_NO_PROGRAMS,))
        plain = await self._read_files(work, parts.files, shape=Provisional())
        problems = (*plain.problems, *duplicates(plain.manifests))
        if problems:
            return Objects((), problems)
        holding = {manifest.origin.file for manifest in plain.manifests}
        resources = [inner_path(each, work.path) for each in (*sorted(holding), *parts.builds)]
        if not resources:
            return Objects((), (no_manifests(work.path),))
        kustomization = generated_kustomization(resources, work.path, overlay)
        # Those of the closure's, which has left out what may be missing.
        components = found.kustomizations[work.path].content.get("components", [])
        content = kustomization.content | {"components": components}
        return await self._build(work, found, replace(kustomization, content=content))

    async def _evaluate(self, work: "_Work", program: str, found: Closure) -> Objects:
        """Evaluate one file of Jsonnet; like a build."""
        try:
            text = await evaluate(work.tree, program, work.jsonnet, scratch=self._scratch)
        except ImportMissing as error:
            if "" not in found.folders:
                raise FileMissing(*error.problems) from error
            return Objects((), error.problems)
        except RenderError as error:
            return Objects((), error.problems)
        return await asyncio.to_thread(read_generated, text, program, limits=self._limits, shape=work.shaping)

    async def _build(self, work: "_Work", found: Closure, kustomization: Kustomization) -> Objects:
        """Build one folder; what is wrong with it becomes problems, so that other folders are looked at, too."""
        tree = work.tree
        try:
            further = [one for one in found.kustomizations.values() if one.rewritten and one.file != kustomization.file]
            stdout = await self._kustomize.build(tree, kustomization, further)
        except RenderError as error:
            if isinstance(error, FileMissing) and "" not in found.folders:
                raise
            precise = await asyncio.to_thread(diagnose, found, tree.find, limits=self._limits)
            return Objects((), precise or error.problems)
        return await asyncio.to_thread(
            read_output,
            stdout,
            kustomization,
            tree.find,
            limits=self._limits,
            memo=self._cache,
            shape=work.shaping,
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """A job in the making: what it asks for, and the files at hand."""

    job: RenderJob
    path: str
    tree: Tree
    selected: Selection
    overlay: KustomizeSpec | None
    shaping: Shaping
    bases: RemoteBasesOfJob

    @property
    def jsonnet(self) -> JsonnetSpec:
        """How Jsonnet is evaluated."""
        directory = self.job.spec.directory
        return (directory.jsonnet if directory else None) or JsonnetSpec()

    @property
    def libraries(self) -> tuple[str, ...]:
        """Folders in which imports are looked for, as long as there may be any."""
        return outermost(repository_path(each) for each in self.jsonnet.libs)

    def closure(self) -> Closure:
        """What the path needs, as far as the files at hand tell."""
        tree = self.tree
        found = closure(
            tree.files,
            self.path,
            tree.read,
            tree.links,
            selected=self.selected,
            overlay=self.overlay,
            places=self.bases.places,
        )
        return replace(found, folders=outermost([*found.folders, *self.libraries]))


async def _own(source: SourceTree, found: Closure) -> tuple[Folder, ...]:
    """The folders of the Application's own source that were read; for one that may appear, the one where it would."""
    folders = set(found.folders) - found.left_out
    for folder in found.left_out:
        folders.add(await _nearest(source, dirname(folder)))
    return tuple(("", folder) for folder in outermost(folders))


async def _nearest(source: SourceTree, folder: str) -> str:
    """The folder, or the nearest above it that exists."""
    while folder:
        try:
            await source.digest(folder)
        except SourceError:
            folder = dirname(folder)
        else:
            break
    return folder
