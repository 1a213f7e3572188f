"""What kustomize wrote, turned into manifests that know the file and line they come from.

The renderer's adapter gives standard output, the build's folder and a way to read source files. Origins are the
annotations that `with_origins` asked for; the line is found in the source by kind and name, 0 where it cannot be told.
"""

import re
from dataclasses import dataclass
from posixpath import join, normpath
from typing import Any, Final

from trimtab.core.manifest import Origin
from trimtab.core.refs import LOCAL_CLUSTER
from trimtab.render.documents import Memo, read_file
from trimtab.render.kustomization import Kustomization
from trimtab.render.limits import Limits
from trimtab.render.objects import Objects, Shaper, to_manifests
from trimtab.render.remote_places import ORIGIN_ANNOTATION
from trimtab.render.source_lines import ReadSource

_PATH: Final = re.compile(r"^path: (.+)$", re.MULTILINE)
_CONFIGURED_IN: Final = re.compile(r"^configuredIn: (.+)$", re.MULTILINE)
_SEPARATOR: Final = re.compile(r"^---.*$", re.MULTILINE)
_KIND: Final = re.compile(r"^[\"']?kind[\"']?:[ \t]*[\"']?(\w+)|[{,]\s*\"kind\":\s*\"(\w+)", re.MULTILINE)
"""At the beginning of a line, or anywhere in JSON."""
_CONTENT: Final = re.compile(r"^[^\s#]", re.MULTILINE)
_NAME: Final = re.compile(r"(?<![\w./-])[\"']?name[\"']?:[ \t]*[\"']?([^\s\"',}]+)")
_NAMES_WITHIN: Final = 4000
"""Characters after `metadata:` in which an object's own name is looked for."""


@dataclass(frozen=True, slots=True)
class _Declared:
    line: int
    kind: str
    names: tuple[str, ...]


def read_output(
    stdout: bytes,
    kustomization: Kustomization,
    read_source: ReadSource,
    *,
    limits: Limits,
    memo: Memo | None = None,
    shape: Shaper | None = None,
    cluster: str = LOCAL_CLUSTER,
) -> Objects:
    """The manifests of a build. Problems of the output are told at their source file where that is known."""
    content = read_file(stdout, kustomization.file, limits=limits, memo=memo)
    sources = _Sources(kustomization, read_source)
    objects = to_manifests(content.documents, locate=sources.locate, shape=shape, cluster=cluster)
    return Objects(objects.manifests, (*content.problems, *objects.problems))


class _Sources:
    """Finds the places of built objects; remembers the source files it has looked into."""

    def __init__(self, kustomization: Kustomization, read_source: ReadSource) -> None:
        self._kustomization = kustomization
        self._read = read_source
        self._texts: dict[str, tuple[str, tuple[_Declared, ...]]] = {}

    def locate(self, body: dict[str, Any], _line: int) -> Origin:
        """The origin of a built object; takes the annotation off again unless the author asked for it."""
        metadata = _mapping(body.get("metadata"))
        annotations = _mapping(metadata.get("annotations"))
        note = str(annotations.get(ORIGIN_ANNOTATION, ""))
        if note and not self._kustomization.shows_origins:
            del annotations[ORIGIN_ANNOTATION]
            if not annotations:
                del metadata["annotations"]
        found = _PATH.search(note)
        if found is None:
            found = _CONFIGURED_IN.search(note)
            return Origin(self._file(found[1]) if found else self._kustomization.file)
        file = self._file(found[1])
        return Origin(file, self._line(file, str(body.get("kind")), str(metadata.get("name"))))

    def _file(self, relative: str) -> str:
        return normpath(join(self._kustomization.folder, relative.strip("\"'")))

    def _line(self, file: str, kind: str, name: str) -> int:
        if file not in self._texts:
            text = (self._read(file) or b"").decode(errors="replace")
            self._texts[file] = (text, _declarations(text))
        text, declared = self._texts[file]
        best = max((one for one in declared if one.kind == kind), key=lambda one: _likeness(one, name), default=None)
        if best is not None:
            return best.line
        listed = re.search(rf"^[ \t-]*name:[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*$", text, re.MULTILINE)
        return text.count("\n", 0, listed.start()) + 1 if listed else 0


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _declarations(text: str) -> tuple[_Declared, ...]:
    """A source file's documents by a look at its lines: where they begin, their kind, what may be their name."""
    found = []
    start = 0
    ends = [(match.start(), match.end()) for match in _SEPARATOR.finditer(text)]
    for end, following in (*ends, (len(text), len(text))):
        content, kind = _CONTENT.search(text, start, end), _KIND.search(text, start, end)
        if content and kind:
            metadata = max(text.find("metadata:", start, end), start)
            names = _NAME.findall(text, metadata, min(end, metadata + _NAMES_WITHIN))
            line = text.count("\n", 0, content.start()) + 1
            found.append(_Declared(line, kind[1] or kind[2], tuple(names)))
        start = following
    return tuple(found)


def _likeness(declared: _Declared, name: str) -> int:
    """Prefixes and suffixes change names: equal is better than contained, a longer part better than a shorter one."""
    return max((len(one) * (2 if one == name else 1) for one in declared.names if one in name), default=0)
