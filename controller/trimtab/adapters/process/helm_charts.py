"""From a chart and values to manifests: gather what the chart needs, merge the values, run helm, read what it wrote.

The renderer calls `render` for a folder that holds a chart. Charts are checked before helm sees them; local
dependencies are copied into the materialised tree, those of a lock are fetched into it, values go through a pipe.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from posixpath import dirname
from tempfile import TemporaryDirectory

from trimtab.adapters.process.chart_copies import copy_charts, mentions_capabilities
from trimtab.adapters.process.decryption import Decryption
from trimtab.adapters.process.helm import Helm
from trimtab.adapters.process.partial_tree import PartialTree
from trimtab.adapters.process.tree import Tree
from trimtab.core.errors import Problem, RenderError, SourceError
from trimtab.core.manifest import Origin
from trimtab.reconcile.ports import Rendered, RenderJob
from trimtab.reconcile.ports.downloads import Charts, ChartWanted
from trimtab.render.documents import Memo, read_file
from trimtab.render.first_problems import first_problems
from trimtab.render.folder import no_manifests
from trimtab.render.helm_chart import CHART, Chart, in_folder, read_chart, refused_links, wrong
from trimtab.render.helm_command import arguments, release
from trimtab.render.helm_dependencies import Need, Supply, refusal, supply
from trimtab.render.helm_errors import YAML_ERROR, failures, masker
from trimtab.render.helm_files import missing, values_path
from trimtab.render.helm_output import ChartObjects, output_faults, read_output
from trimtab.render.helm_places import Places
from trimtab.render.helm_values import Values, compose
from trimtab.render.layout import within
from trimtab.render.limits import Limits
from trimtab.render.objects import Shaper, duplicates
from trimtab.render.sops_files import left_encrypted
from trimtab.render.withholding import Withholding
from trimtab.source.tree_budget import TreeBudget
from trimtab.source.url import show_url


class HelmCharts:
    """Renders charts."""

    def __init__(
        self, helm: Helm, *, limits: Limits, memo: Memo, decryption: Decryption, charts: Charts | None = None
    ) -> None:
        """`charts` fetches dependencies; without it they have to be in the source."""
        self._helm = helm
        self._charts = charts
        self._decryption = decryption
        self._limits = limits
        self._memo = memo

    async def render(
        self, job: RenderJob, tree: Tree, folder: str, *, shape: Shaper, scratch: Path | None, budget: TreeBudget
    ) -> Rendered:
        """Render the chart in a folder of `job.tree`, which is materialised in `tree`; further sources are in a folder
        below `scratch` meanwhile. `budget` bounds all that is written. Raises RenderError with all problems at once,
        SourceError (StillFetching, too).
        """
        withhold = Withholding()
        try:
            with ExitStack() as stack:
                parts = {"": PartialTree(job.tree, tree, budget)}
                for name, source in job.others.items():
                    place = stack.enter_context(TemporaryDirectory(dir=scratch, prefix="trimtab-tree-"))
                    other = await asyncio.to_thread(Tree, Path(place), self._limits)
                    parts[name] = PartialTree(source, other, budget)
                return await self._render(job, parts, folder, withhold, shape)
        except RenderError as error:
            raise RenderError(*await asyncio.to_thread(withhold, error.problems)) from None

    async def _render(
        self, job: RenderJob, parts: dict[str, PartialTree], folder: str, withhold: Withholding, shape: Shaper
    ) -> Rendered:
        tree = parts[""].tree
        await parts[""].want(folder)
        chart, supplied = await self._chart(job, parts[""], folder)
        await self._decryption.decrypt(job, tree, _own_values(tree, folder), withhold)
        values = await self._values(job, parts, folder, withhold)
        objects = await self._template(job, tree, chart, supplied, values, shape)
        if not objects.manifests and not objects.problems:
            raise RenderError(no_manifests(folder))
        encrypted = left_encrypted(objects.manifests) if job.spec.decryption else ()
        if problems := (*objects.problems, *duplicates(objects.manifests), *encrypted):
            # A name or key that is not valid is quoted, and it may have come from a Secret.
            raise RenderError(*await asyncio.to_thread(_masked, problems, values.secrets))
        seen = [folder, *supplied.folders]
        reads = await asyncio.to_thread(mentions_capabilities, tree, seen, values.merged)
        folders = tuple((name, one) for name, part in parts.items() for one in part.folders)
        return Rendered(
            objects.manifests, folders, hooks=objects.hooks, keeps_namespaces=True, reads_capabilities=reads
        )

    async def _chart(self, job: RenderJob, own: PartialTree, folder: str) -> tuple[Chart, Supply]:
        """The chart with what it needs at hand, everything checked."""
        tree = own.tree
        while True:
            found = await asyncio.to_thread(supply, folder, tree.files, tree.find)
            wanting = [one for one in sorted(found.folders) if not own.asked(one)]
            if not wanting:
                break
            for one in wanting:
                await own.want(one)
        file = in_folder(folder, CHART)
        problems = [link for one in (folder, *found.folders) for link in refused_links(tree.links, one)]
        if problems:
            raise RenderError(*problems)
        for link in sorted(tree.links):
            if any(within(link, one) for one in (folder, *found.folders)) and not (tree.root / link).exists():
                tree.read(link)  # which says that it leads to nothing, before helm says it with less care
        chart = read_chart(tree.read(file), file)
        if chart.library:
            remedy = "name it as a dependency of an application chart"
            problems.append(wrong("a library chart renders nothing by itself", file, remedy))
        problems += found.problems
        problems += [refusal(need, file) for need in found.needs if self._charts is None or not need.fetchable]
        if problems:
            raise RenderError(*problems)
        await self._fetch(job, own, found.needs)
        await asyncio.to_thread(tree.refresh)
        return chart, found

    async def _fetch(self, job: RenderJob, own: PartialTree, needs: Sequence[Need]) -> None:
        """Put dependencies where they belong. Raises RenderError, StillFetching where some are on their way."""
        if self._charts is None or not needs:
            return
        wanted = [ChartWanted(need.repository, need.name, need.version, job.verified) for need in needs]
        problems: list[Problem] = []
        for need, fetched in zip(needs, await self._charts.get(job.namespace, job.name, wanted), strict=True):
            try:
                if isinstance(fetched, SourceError):
                    raise fetched
                place = own.tree.root / need.place
                place.mkdir(parents=True, exist_ok=True)
                await fetched.materialise([""], place, budget=own.budget)
            except SourceError as error:
                about = f"the dependency {need.name} {need.version} of {show_url(need.repository)}"
                lock = Origin(need.file)
                problems += [replace(each, message=f"{about}: {each.message}", origin=lock) for each in error.problems]
        if problems:
            raise RenderError(*problems)

    async def _values(
        self, job: RenderJob, parts: dict[str, PartialTree], folder: str, withhold: Withholding
    ) -> Values:
        helm = job.spec.helm
        files: list[tuple[str, bytes]] = []
        problems: list[Problem] = []
        for text in helm.value_files:
            source = ""
            try:
                source, path = values_path(text, folder, frozenset(job.others))
                part = parts[source]
                if not part.asked(dirname(path)):
                    await part.want(dirname(path))
                await self._decryption.decrypt(job, part.tree, part.tree.files & {path}, withhold)
                data = part.tree.find(path)
            except RenderError as error:
                problems += _of_source(source, error.problems)
                continue
            if data is not None:
                files.append((f"${source}/{path}" if source else path, data))
            elif not helm.ignore_missing_value_files:
                problems.append(missing(text))
        try:
            values = await asyncio.to_thread(compose, helm, files, job.inputs.objects)
        except RenderError as error:
            raise RenderError(*problems, *error.problems) from None
        if problems:
            raise RenderError(*problems)
        return values

    async def _template(
        self, job: RenderJob, tree: Tree, chart: Chart, supplied: Supply, values: Values, shape: Shaper
    ) -> ChartObjects:
        folder = dirname(chart.file)
        await asyncio.to_thread(copy_charts, tree, supplied.copies, self._limits, chart.file)
        copies = {place: source for source, place in supplied.copies}
        places = Places(folder, chart, tree.files, tree.find, copies)
        command = arguments(
            release(job.spec, job.name, job.namespace), str(tree.root / folder), job.spec, job.inputs.capabilities
        )
        given = json.dumps(values.merged).encode()
        result = await self._helm.template(command, given, root=tree.root, readable=[tree.root], chart_file=chart.file)
        if result.code == 0:
            return await asyncio.to_thread(
                read_output, result.stdout, places, limits=self._limits, memo=self._memo, shape=shape
            )
        if YAML_ERROR in result.stderr:
            # helm stops at the first; what it writes with --debug has them all.
            debugged = await self._helm.template(
                [*command, "--debug"], given, root=tree.root, readable=[tree.root], chart_file=chart.file
            )
            content = await asyncio.to_thread(read_file, debugged.stdout, chart.file, limits=self._limits)
            if faults := output_faults(content.problems, debugged.stdout, places):
                return ChartObjects((), (), faults)
        told = await asyncio.to_thread(failures, result.stderr, places, str(tree.root), values.secrets)
        return ChartObjects((), (), told)


def _masked(problems: Sequence[Problem], secrets: Iterable[str]) -> tuple[Problem, ...]:
    mask = masker(secrets)
    return first_problems(problems, lambda one: replace(one, message=mask(one.message)))


def _of_source(name: str, problems: Iterable[Problem]) -> Iterable[Problem]:
    """Problems of a further source's files, with their places as specs name them."""
    return [
        replace(each, origin=replace(each.origin, file=f"${name}/{each.origin.file}"))
        if name and each.origin is not None
        else each
        for each in problems
    ]


def _own_values(tree: Tree, folder: str) -> frozenset[str]:
    """The chart's own values, as far as there are any."""
    return tree.files & {in_folder(folder, "values.yaml")}
