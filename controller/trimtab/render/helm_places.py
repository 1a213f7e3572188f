"""From the paths that helm prints to files of the source, and to lines in them.

helm names a template by charts' names, `shop/charts/db/templates/x.yaml`; the source has folders, archives and copies.
The readers of helm's output and of its errors ask here.
"""

import re
from collections.abc import Mapping
from typing import Final

from trimtab.core.errors import RenderError
from trimtab.core.manifest import Origin
from trimtab.render.helm_chart import CHART, Chart, in_folder, read_chart
from trimtab.render.helm_dependencies import Find, archive, dependencies, subcharts
from trimtab.render.layout import within

_SEPARATOR: Final = re.compile(r"^---.*$", re.MULTILINE)
_KIND: Final = re.compile(r"^[\"']?kind[\"']?:[ \t]*[\"']?(\w+)", re.MULTILINE)
_FIRST: Final = re.compile(r"^[\"']?(?:apiVersion|kind|metadata)[\"']?:", re.MULTILINE)


class Places:
    """Finds the places of one chart. `copies` tells for folders that were copied into the tree where they come from."""

    def __init__(self, folder: str, chart: Chart, files: frozenset[str], find: Find, copies: Mapping[str, str]) -> None:
        self.folder = folder
        self.chart = chart
        self._files = files
        self._find = find
        self._copies = copies
        self._known: dict[str, dict[str, str]] = {}

    @property
    def chart_file(self) -> str:
        """The chart's own Chart.yaml."""
        return self.chart.file

    def file(self, printed: str) -> str:
        """The file of the source that helm names so; of a packed chart the archive, where all fails the Chart.yaml."""
        parts = printed.split("/")
        folder, rest = self.folder, parts[1:]
        while len(rest) > 2 and rest[0] == "charts":
            inner = self._subcharts(folder).get(rest[1])
            if inner is None:
                break
            if inner.endswith(".tgz"):
                return self._original(inner)
            folder, rest = inner, rest[2:]
        path = in_folder(folder, "/".join(rest))
        return self._original(path) if path in self._files else self._original(in_folder(folder, CHART))

    def text(self, printed: str) -> str:
        """A template's text; empty where it is packed or not there."""
        file = self.file(printed)
        return "" if file.endswith(".tgz") else (self._find(file) or b"").decode(errors="replace")

    def origin(self, printed: str, kind: str = "", name: str = "") -> Origin:
        """The template, and the line where it declares an object of a kind, where that can be told."""
        return Origin(self.file(printed), line_of(self.text(printed), kind, name) if kind else 0)

    def _subcharts(self, folder: str) -> dict[str, str]:
        """Name or alias of a chart below → its folder or archive."""
        if folder not in self._known:
            found = subcharts(folder, self._files, self._find)
            file = in_folder(folder, CHART)
            try:
                asked = dependencies(read_chart(self._find(file) or b"", file), folder, self._find)
            except RenderError:
                asked = ()
            for one in asked:
                place = found.get(one.name) or archive(one.name, folder, self._files)
                if place:
                    found[one.alias or one.name] = place
            self._known[folder] = found
        return self._known[folder]

    def _original(self, path: str) -> str:
        copied = max((place for place in self._copies if within(path, place)), key=len, default=None)
        if copied is None:
            return path
        return self._copies[copied] + path[len(copied) :] if self._copies[copied] else path[len(copied) + 1 :]


def line_of(text: str, kind: str, name: str) -> int:
    """The line where a template declares an object of a kind; the likest name decides among several; 0: unknown."""
    found = []
    start = 0
    ends = [(match.start(), match.end()) for match in _SEPARATOR.finditer(text)]
    for end, following in (*ends, (len(text), len(text))):
        declared, first = _KIND.search(text, start, end), _FIRST.search(text, start, end)
        if declared and first and declared[1] == kind:
            found.append((text.count("\n", 0, first.start()) + 1, text[start:end]))
        start = following
    if len(found) == 1:
        return found[0][0]
    named = [(line, part) for line, part in found if name and re.search(rf"\b{re.escape(name)}\b", part)]
    endings = [(line, part) for line, part in found if _ends_like(part, name)]
    for choice in (named, endings):
        if len(choice) == 1:
            return choice[0][0]
    return 0


def _ends_like(part: str, name: str) -> bool:
    """Whether a document's name is an expression with a text behind it that ends the name: `{{ … }}-headless`."""
    suffix = re.search(r"^\s+name:[^\n]*\}\}([-\w.]+)[\"']?\s*$", part, re.MULTILINE)
    return suffix is not None and name.endswith(suffix[1])
