"""What a chart needs beside its own folder: charts of the same repository, and charts that must be fetched.

A view of the files at hand flows in, a `Supply` flows out: which folders to copy where, and what is not there. The
chart stage of the renderer calls `supply` until no folder is wanting.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from posixpath import join, normpath
from typing import Final

from trimtab.core.errors import Problem, RenderError
from trimtab.render.helm_chart import (
    CHART,
    LOCK,
    OLD_LOCK,
    OLD_REQUIREMENTS,
    Chart,
    Dependency,
    in_folder,
    read_chart,
    read_dependencies,
    wrong,
)
from trimtab.render.layout import within

MAX_COPIES: Final = 200
_LOCAL: Final = "file://"
_REMOTE: Final = ("https://", "http://", "oci://", "@", "alias:")
"""Repositories to fetch from, by their URL or by the name of a HelmRepository."""

Find = Callable[[str], bytes | None]
"""A file's bytes by its path from the root of the source; None where there is none."""


@dataclass(frozen=True, slots=True)
class Need:
    """A chart to be had from a repository: the version that the lock names where there is one, else the range asked
    for. `place` is the folder that it belongs in, `file` the lock that names it.
    """

    name: str
    version: str
    repository: str
    place: str = ""
    locked: bool = False
    file: str = ""

    @property
    def fetchable(self) -> bool:
        """Whether it may be fetched: without a lock, the same commit would mean something else tomorrow."""
        return self.locked and self.repository.startswith(_REMOTE)


@dataclass(slots=True)
class Supply:
    """`copies` are folders of the source and where they go, in this order; `folders` are those that were looked for.

    `needs` are charts that are neither in charts/ nor in the same source; `problems` is all that is refused.
    """

    copies: list[tuple[str, str]] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    needs: list[Need] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def supply(folder: str, files: frozenset[str], find: Find) -> Supply:
    """All that the chart in `folder` needs, with what its local dependencies need in turn."""
    found = Supply()
    _walk(folder, folder, (folder,), files, find, found)
    return found


def refusal(need: Need, chart_file: str) -> Problem:
    """What to tell of a chart that nobody has fetched."""
    where = f" of {need.repository}" if need.repository else ""
    remedy = "add it to the source, or a Chart.lock by which it is fetched: helm dependency update"
    return wrong(f"the dependency {need.name} {need.version}{where} is not in charts/", chart_file, remedy)


def subcharts(folder: str, files: frozenset[str], find: Find) -> dict[str, str]:
    """The charts unpacked in a charts folder, name → folder."""
    base = in_folder(folder, "charts") + "/"
    below = sorted(name for name in files if name.startswith(base) and name.endswith("/" + CHART))
    found = {}
    for file in below:
        inner = file.removeprefix(base).removesuffix("/" + CHART)
        if "/" not in inner:
            try:
                found[read_chart(find(file) or b"", file).name] = base + inner
            except RenderError:
                continue  # helm says what is wrong with it
    return found


def archive(name: str, folder: str, files: frozenset[str]) -> str | None:
    """The packed chart of a name in a charts folder."""
    pattern = re.compile(re.escape(in_folder(folder, "charts")) + "/" + re.escape(name) + r"-v?\d[^/]*\.tgz")
    return next((file for file in sorted(files) if pattern.fullmatch(file)), None)


def dependencies(chart: Chart, folder: str, find: Find) -> tuple[Dependency, ...]:
    """A chart's dependencies, wherever its format keeps them. Raises RenderError."""
    if chart.old and (data := find(file := in_folder(folder, OLD_REQUIREMENTS))) is not None:
        return read_dependencies(data, file)
    return chart.dependencies


def _locked(chart: Chart, folder: str, find: Find) -> list[tuple[Dependency, Need]]:
    file = in_folder(folder, OLD_LOCK if chart.old and find(in_folder(folder, LOCK)) is None else LOCK)
    data = find(file)
    locked = {one.name: one for one in read_dependencies(data, file)} if data is not None else {}
    found = []
    for asked in dependencies(chart, folder, find):
        one = locked.get(asked.name, asked)
        repository = one.repository or asked.repository
        is_locked = asked.name in locked
        need = Need(asked.name, one.version, repository, locked=is_locked, file=file if is_locked else "")
        found.append((asked, need))
    return found


def _vendored(name: str, folder: str, files: frozenset[str], find: Find) -> bool:
    return name in subcharts(folder, files, find) or archive(name, folder, files) is not None


def _walk(source: str, target: str, above: tuple[str, ...], files: frozenset[str], find: Find, found: Supply) -> None:
    """Look at the chart in `source`, which will lie in `target`; `above` are the charts that led here."""
    file = in_folder(source, CHART)
    data = find(file)
    if data is None:
        return  # not there yet, or not at all: who named it says so
    try:
        chart = read_chart(data, file)
        locked = _locked(chart, source, find)
    except RenderError as error:
        found.problems += error.problems
        return
    copied = set()
    for dependency, need in locked:
        if dependency.name in copied or _vendored(dependency.name, source, files, find):
            continue
        if not dependency.repository.startswith(_LOCAL):
            found.needs.append(replace(need, place=f"{in_folder(target, 'charts')}/{dependency.name}"))
            continue
        copied.add(dependency.name)
        folder = _local_folder(dependency, source, above, file, found)
        if folder is None:
            continue
        found.folders.add(folder)
        if find(in_folder(folder, CHART)) is None:
            message = f"the dependency {dependency.name} is not at {dependency.repository}"
            found.problems.append(wrong(message, file, "correct its repository, or add the chart there"))
            continue
        place = f"{in_folder(target, 'charts')}/{dependency.name}"
        found.copies.append((folder, place))
        if len(found.copies) <= MAX_COPIES:
            _walk(folder, place, (*above, folder), files, find, found)


def _local_folder(dependency: Dependency, source: str, above: tuple[str, ...], file: str, found: Supply) -> str | None:
    path = dependency.repository.removeprefix(_LOCAL)
    folder = normpath(join("/" if path.startswith("/") else source, path))
    folder = "" if folder == "." else folder
    if path.startswith("/") or folder == ".." or folder.startswith("../"):
        message = f"the dependency {dependency.name} leaves the source"
        found.problems.append(wrong(message, file, "point it to a folder of the same source, by a relative path"))
        return None
    if any(within(one, folder) for one in above):
        message = f"the dependency {dependency.name} holds the chart that needs it"
        found.problems.append(wrong(message, file, "point it to a folder beside the chart"))
        return None
    if len(found.copies) >= MAX_COPIES:
        found.problems.append(wrong(f"more than {MAX_COPIES} local dependencies", file, "depend on fewer charts"))
        return None
    return folder
