"""What a kustomization file refers to, read from its content; and the same content with origins asked for.

The closure walk and the renderer's adapter call it. Charts, paths out of the repository and remote bases that are not
allowed are problems here, with file and line, before kustomize is started; allowed ones become paths in the tree.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from posixpath import dirname, join, normpath, relpath
from typing import Any, Final

from trimtab.api.kustomize import KustomizeSpec
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.render.documents import read_file
from trimtab.render.overlay import generated, overlaid
from trimtab.render.remote_places import NOWHERE, RemotePlaces
from trimtab.source.remote_base import RemoteBase, is_remote, remote_base
from trimtab.source.url import show_url

_EITHER: Final = ("resources", "bases", "components", "transformers", "generators", "validators")
_FILES: Final = ("crds", "configurations", "patchesStrategicMerge")
_WITH_PATH: Final = ("patches", "patchesJson6902", "replacements")
_GENERATORS: Final = ("configMapGenerator", "secretGenerator")
_CHARTS: Final = ("helmCharts", "helmChartInflationGenerator")
_ORIGINS: Final = "originAnnotations"
_INLINE: Final = re.compile(r"\n|:\s")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that a kustomization names. `folder` says that it may be a folder, `text` how it is spelled.

    `from_spec`: the Application's spec names it, not the file; `optional`: it may be missing. `base` is set where the
    path is the place of a remote base.
    """

    path: str
    text: str
    line: int
    folder: bool
    from_spec: bool = False
    optional: bool = False
    base: RemoteBase | None = None


@dataclass(frozen=True, slots=True)
class Kustomization:
    """A kustomization file: its content, its references, and what is wrong with it.

    `rewritten`: it names remote bases, in place of which the content has their places in the tree.
    """

    file: str
    content: dict[str, Any]
    references: tuple[Reference, ...]
    problems: tuple[Problem, ...]
    rewritten: bool = False

    @property
    def folder(self) -> str:
        """The folder that the file makes a kustomization."""
        return dirname(self.file)

    @property
    def secret_literals(self) -> tuple[str, ...]:
        """Values that must not appear in any message: the literals of its secret generators."""
        generators = [one for one in _list(self.content.get("secretGenerator")) if isinstance(one, dict)]
        literals = [text for one in generators for text in _list(one.get("literals")) if isinstance(text, str)]
        return tuple(literals) + tuple(text.split("=", 1)[1] for text in literals if "=" in text)

    @property
    def shows_origins(self) -> bool:
        """Whether its author asked for origin annotations, so that they belong to the output."""
        return _ORIGINS in _list(self.content.get("buildMetadata"))


def read_kustomization(
    data: bytes, file: str, spec: KustomizeSpec | None = None, places: RemotePlaces = NOWHERE
) -> Kustomization:
    """Read a kustomization file; `file` is its path from the repository's root, `spec` what an Application adds."""
    read = read_file(data, file)
    if read.problems or not read.documents:
        return Kustomization(file, {}, (), read.problems)
    content = read.documents[0].value
    if not isinstance(content, dict) or len(read.documents) > 1:
        problem = _problem("not a kustomization", file, 1, "it must hold one mapping")
        return Kustomization(file, {}, (), (problem,))
    return _kustomization(content, file, data.decode(errors="replace").splitlines(), spec, places)


def generated_kustomization(
    resources: list[str], folder: str, spec: KustomizeSpec, places: RemotePlaces = NOWHERE
) -> Kustomization:
    """What a plain folder is built by where an Application adds something; `resources` are relative to the folder."""
    return _kustomization(generated(resources), join(folder, "kustomization.yaml"), [], spec, places)


def _kustomization(
    content: dict[str, Any], file: str, lines: list[str], spec: KustomizeSpec | None, places: RemotePlaces
) -> Kustomization:
    added = frozenset(spec.components) if spec else frozenset()
    optional = spec is not None and spec.ignore_missing_components
    content = overlaid(content, spec) if spec else content
    references: list[Reference] = []
    problems = [_chart(name, file, lines) for name in _CHARTS if content.get(name)]
    local: dict[str, str] = {}
    root = places.root_of(file)
    for text, folder in _entries(content):
        line = _line_of(text, lines)
        from_spec = text in added and not line
        path = normpath(join(dirname(file)[len(root) :].lstrip("/"), text))
        if is_remote(text):
            try:
                base = _allowed(text, folder, places)
            except SourceError as error:
                problems += [replace(each, origin=Origin(file, line), reason="BuildFailed") for each in error.problems]
                continue
            path = places.place(base)
            references.append(Reference(path, str(base), line, folder, from_spec, base=base))
            local[text] = relpath(f"/{path}", f"/{dirname(file)}")
        elif text.startswith("/") or path == ".." or path.startswith("../"):
            problems.append(_problem(f"{text!r} leaves the repository", file, line, "use a path inside of it"))
        else:
            path = join(root, "" if path == "." else path).rstrip("/")
            references.append(Reference(path, text, line, folder, from_spec, optional and from_spec))
    content = _localised(content, local)
    return Kustomization(file, content, tuple(references), tuple(problems), rewritten=bool(local))


def _allowed(text: str, folder: bool, places: RemotePlaces) -> RemoteBase:
    """The base that a text stands for. Raises SourceError where it is none, or none that the source may take."""
    if not folder:
        remedy = "copy the file into the repository, or take it from a remote base as a whole"
        raise SourceError(Problem(f"remote file {show_url(text)!r}: only folders are fetched", remedy=remedy))
    base = remote_base(text)
    places.check(base)
    return base


def _localised(content: dict[str, Any], local: Mapping[str, str]) -> dict[str, Any]:
    """The content with paths in place of the remote bases."""
    if not local:
        return content
    lists = {
        field: [local.get(each, each) if isinstance(each, str) else each for each in content[field]]
        for field in _EITHER
        if isinstance(content.get(field), list)
    }
    return content | lists


def without_components(kustomization: Kustomization, missing: Collection[str]) -> Kustomization:
    """The kustomization without components that may be missing and are."""
    components = [each for each in _list(kustomization.content.get("components")) if each not in missing]
    return replace(kustomization, content=kustomization.content | {"components": components})


def with_origins(kustomization: Kustomization) -> bytes:
    """The content with origin annotations asked for."""
    metadata = [*_list(kustomization.content.get("buildMetadata"))]
    if _ORIGINS not in metadata:
        metadata.append(_ORIGINS)
    return as_file(replace(kustomization, content={**kustomization.content, "buildMetadata": metadata}))


def as_file(kustomization: Kustomization) -> bytes:
    """The content as block YAML with JSON values: kustomize reads it alike."""
    lines = (
        f"{key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in kustomization.content.items()
    )
    return ("\n".join(lines) + "\n").encode()


def _entries(content: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """(path as spelled, whether it may be a folder) of everything that names a file; inline YAML is none."""
    for field in _EITHER:
        yield from ((text, True) for text in _list(content.get(field)) if _is_path(text))
    for field in _FILES:
        yield from ((text, False) for text in _list(content.get(field)) if _is_path(text))
    for field in _WITH_PATH:
        yield from ((text, False) for entry in _list(content.get(field)) if (text := _get(entry, "path")))
    if text := _get(content.get("openapi"), "path"):
        yield text, False
    for field in _GENERATORS:
        for generator in _list(content.get(field)):
            yield from ((text, False) for text in _generator_files(generator))


def _generator_files(generator: Any) -> Iterator[str]:
    if not isinstance(generator, dict):
        return
    for text in _list(generator.get("files")):
        if isinstance(text, str):
            yield text.split("=", 1)[-1]
    for text in [*_list(generator.get("envs")), generator.get("env")]:
        if isinstance(text, str) and text:
            yield text


def _is_path(entry: Any) -> bool:
    return isinstance(entry, str) and bool(entry) and entry[0] not in "{[" and not _INLINE.search(entry)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _get(entry: Any, key: str) -> str:
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, str) else ""


def _line_of(text: str, lines: list[str]) -> int:
    whole = re.compile(rf"(?<![\w./-]){re.escape(text)}(?![\w./-])")
    return next((number for number, line in enumerate(lines, 1) if whole.search(line)), 0)


def _chart(name: str, file: str, lines: list[str]) -> Problem:
    remedy = "render the chart into the repository"
    return _problem(f"{name} is not built", file, _line_of(name, lines), remedy)


def _problem(message: str, file: str, line: int, remedy: str) -> Problem:
    return Problem(message, origin=Origin(file, line), remedy=remedy, reason="BuildFailed")
