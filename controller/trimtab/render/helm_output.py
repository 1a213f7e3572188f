"""What helm wrote, turned into manifests that know their template, and hooks apart from them.

The chart stage of the renderer gives standard output; a comment of helm names the template of each document.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from trimtab.core.errors import Problem
from trimtab.core.manifest import Manifest, Origin
from trimtab.render.documents import Document, Memo, read_file
from trimtab.render.helm_places import Places
from trimtab.render.hooks import Hook, read_hook
from trimtab.render.limits import Limits
from trimtab.render.objects import Shaper, to_manifests

_SOURCE: Final = re.compile(rb"^---\n# Source: ([^\n]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ChartObjects:
    """What a chart declares. Where there are problems, it is not all of it."""

    manifests: tuple[Manifest, ...]
    hooks: tuple[Hook, ...]
    problems: tuple[Problem, ...]


class Sources:
    """Which template a line of helm's output comes from."""

    def __init__(self, stdout: bytes) -> None:
        marks = list(self._marks(stdout))
        self._lines = [line for line, _ in marks]
        self._names = [name for _, name in marks]

    @staticmethod
    def _marks(stdout: bytes) -> Iterator[tuple[int, str]]:
        line, at = 1, 0
        for match in _SOURCE.finditer(stdout):
            line += stdout.count(b"\n", at, match.start())
            at = match.start()
            yield line, match[1].decode(errors="replace")

    def at(self, line: int) -> str:
        """The template as helm names it; empty before the first. A separator still belongs to what it ends, for a
        parser finds there what is missing.
        """
        index = bisect_right(self._lines, line - 1) - 1
        return self._names[index] if index >= 0 else ""


def read_output(
    stdout: bytes, places: Places, *, limits: Limits, memo: Memo | None = None, shape: Shaper | None = None
) -> ChartObjects:
    """The manifests, shaped, and the hooks of a chart."""
    content = read_file(stdout, places.chart_file, limits=limits, memo=memo)
    sources = Sources(stdout)

    def locate(body: dict[str, Any], line: int) -> Origin:
        metadata = body.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else ""
        return places.origin(sources.at(line), str(body.get("kind") or ""), str(name or ""))

    hooks: list[Hook] = []
    lasting: list[Document] = []
    for document in content.documents:
        value = document.value
        hook = read_hook(value, locate(value, document.line)) if isinstance(value, dict) else None
        if hook is None:
            lasting.append(document)
        else:
            hooks.append(hook)
    objects = to_manifests(lasting, locate=locate, shape=shape)
    faults = output_faults(content.problems, stdout, places)
    return ChartObjects(objects.manifests, tuple(hooks), (*faults, *objects.problems))


def output_faults(found: tuple[Problem, ...], stdout: bytes, places: Places) -> tuple[Problem, ...]:
    """Problems of helm's output as problems of the templates: the line is the template's where its text stands there
    but once, and left out where it does not.
    """
    sources, lines = Sources(stdout), stdout.decode(errors="replace").split("\n")
    problems = []
    for problem in found:
        line = problem.origin.line if problem.origin else 0
        printed = sources.at(line)
        text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        text = "" if text.startswith("---") else text
        alike = [number for number, one in enumerate(places.text(printed).split("\n"), 1) if one.strip() == text]
        origin = Origin(places.file(printed), alike[0] if text and len(alike) == 1 else 0)
        message = f"{problem.message}, in what the template writes"
        remedy = problem.remedy or "look at: helm template --debug"
        problems.append(Problem(message, origin=origin, remedy=remedy, reason=problem.reason))
    return tuple(sorted(problems, key=str))
