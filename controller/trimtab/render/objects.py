"""Documents become manifests: lists are opened, identities checked, duplicates found.

The folder reader and the reader of kustomize's output call `to_manifests` per file; every problem is returned, so
that a revision's errors are told together. Names that break a syntax no API server accepts are refused here, with
their place.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from trimtab.core.errors import Problem
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.render.documents import Document

Locate = Callable[[dict[str, Any], int], Origin]
"""Tells an object's place from its body and the line of the text where it begins; may take marks off the body."""


class Shaper(Protocol):
    """Changes objects before they are checked, as substitution does."""

    def shape(self, body: dict[str, Any], origin: Origin) -> tuple[dict[str, Any], tuple[Problem, ...]]:
        """The changed object; problems say that it could not be changed."""
        ...

    def masked(self, problem: Problem) -> Problem:
        """A problem of a changed object without what must not be told."""
        ...


_API_VERSION: Final = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?v?[a-z0-9]+")
_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NAME: Final = re.compile(r"(?!\.\.?$)[^/%|\x00-\x20\x7f]{1,253}")
_NAMESPACE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_KUSTOMIZE_GROUP: Final = "kustomize.config.k8s.io/"
_SHOWN: Final = 80
"""Characters of a wrong name that a message shows."""


@dataclass(frozen=True, slots=True)
class Objects:
    """What documents declare. Where there are problems, the manifests are not all of it."""

    manifests: tuple[Manifest, ...]
    problems: tuple[Problem, ...]


def to_manifests(
    documents: Iterable[Document], *, locate: Locate, shape: Shaper | None = None, cluster: str = LOCAL_CLUSTER
) -> Objects:
    """Check documents and open lists. `locate` is asked once per object, before it is shaped and checked."""
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    for document in documents:
        for body, line in _opened(document.value, document.line, document.item_lines):
            origin = locate(body, line) if isinstance(body, dict) else locate({}, line)
            shaped, wrong = shape.shape(body, origin) if shape and isinstance(body, dict) else (body, ())
            if not wrong:
                wrong = tuple(shape.masked(fault) if shape else fault for fault in _faults(shaped, origin))
            problems += wrong
            if not wrong:
                manifests.append(Manifest(ObjectRef.of(shaped, cluster=cluster), shaped["apiVersion"], shaped, origin))
    return Objects(tuple(manifests), tuple(problems))


def duplicates(manifests: Iterable[Manifest]) -> list[Problem]:
    """A problem for every manifest whose object an earlier one declares already, naming both places."""
    first: dict[ObjectRef, Manifest] = {}
    problems = []
    for manifest in manifests:
        earlier = first.setdefault(manifest.ref, manifest)
        if earlier is not manifest:
            problems.append(
                Problem(
                    f"declared twice, first at {earlier.origin}",
                    ref=manifest.ref,
                    origin=manifest.origin,
                    remedy="keep one of the two",
                    reason="DuplicateObject",
                )
            )
    return problems


def _opened(value: Any, line: int, item_lines: tuple[int, ...]) -> Iterator[tuple[Any, int]]:
    """The objects of a document: itself, or a list's items, which inherit the apiVersion and kind they lack."""
    if not _is_list(value):
        yield value, line
        return
    items = value.get("items") or []
    lines = item_lines if len(item_lines) == len(items) else (line,) * len(items)
    inherited = {"apiVersion": value.get("apiVersion"), "kind": value["kind"].removesuffix("List")}
    for item, item_line in zip(items, lines, strict=True):
        missing = {k: v for k, v in inherited.items() if v and k not in item} if isinstance(item, dict) else {}
        yield from _opened({**missing, **item} if missing else item, item_line, ())


def _is_list(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(kind := value.get("kind"), str) or not kind.endswith("List"):
        return False
    items = value.get("items")
    return isinstance(items, list) or (items is None and (kind == "List" or "items" in value))


def _faults(body: Any, origin: Origin) -> Iterator[Problem]:
    if not isinstance(body, dict):
        yield _wrong("not a Kubernetes object", origin, "every document must be a mapping with apiVersion and kind")
        return
    metadata = body.get("metadata")
    for key, value, syntax in (("apiVersion", body.get("apiVersion"), _API_VERSION), ("kind", body.get("kind"), _KIND)):
        if value is None:
            remedy = f"add {key}, or move the file out of the path"
            yield _wrong(f"{key} is missing", origin, remedy)
        elif not _fits(value, syntax):
            yield _wrong(f"{key} {_shown(value)} is not valid", origin, f"correct {key}")
    if isinstance(version := body.get("apiVersion"), str) and version.startswith(_KUSTOMIZE_GROUP):
        yield _wrong("a kustomization under another name", origin, "name the file kustomization.yaml")
    elif not isinstance(metadata, dict):
        yield _wrong("metadata is missing", origin, "add metadata.name")
    else:
        yield from _metadata_faults(metadata, origin)


def _metadata_faults(metadata: dict[str, Any], origin: Origin) -> Iterator[Problem]:
    name = metadata.get("name")
    if not name and metadata.get("generateName"):
        yield _wrong("generateName makes another object at each apply", origin, "set metadata.name instead")
    elif name is None:
        yield _wrong("metadata.name is missing", origin, "add metadata.name")
    elif not _fits(name, _NAME):
        yield _wrong(
            f"metadata.name {_shown(name)} is not valid", origin, "correct the name; quote it if it is a number"
        )
    namespace = metadata.get("namespace")
    if namespace not in (None, "") and not _fits(namespace, _NAMESPACE):
        yield _wrong(f"metadata.namespace {_shown(namespace)} is not valid", origin, "correct the namespace")
    for field in ("labels", "annotations"):
        values = metadata.get(field)
        if values is not None and not isinstance(values, dict):
            yield _wrong(f"metadata.{field} is not a mapping", origin, f"correct metadata.{field}")
            continue
        for key, value in (values or {}).items():
            if not isinstance(value, str | None):
                yield _wrong(f"metadata.{field}[{key!r}] is not a string", origin, "quote the value")


def _fits(value: Any, syntax: re.Pattern[str]) -> bool:
    return isinstance(value, str) and syntax.fullmatch(value) is not None


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
    return f"of type {type(value).__name__}"


def _wrong(message: str, origin: Origin, remedy: str) -> Problem:
    return Problem(message, origin=origin, remedy=remedy, reason="InvalidManifest")
