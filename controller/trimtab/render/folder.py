"""A plain folder's files, read into manifests.

The renderer's adapter gives the files that `layout` chose and a way to read them; objects and problems come back.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from trimtab.core.errors import Problem
from trimtab.core.manifest import Manifest, Origin
from trimtab.render.documents import Document, Memo, read_file
from trimtab.render.layout import is_optional
from trimtab.render.limits import DEFAULT_LIMITS, Limits
from trimtab.render.objects import Objects, Shaper, to_manifests
from trimtab.render.reader import ValueBudget


def read_files(
    files: Iterable[str],
    read: Callable[[str], bytes],
    *,
    limits: Limits = DEFAULT_LIMITS,
    memo: Memo | None = None,
    shape: Shaper | None = None,
) -> Objects:
    """Read manifests from files, each object shaped by `shape`.

    A JSON document with neither apiVersion nor kind is data and passed over.
    """
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    left_bytes = limits.total_bytes
    values = ValueBudget(limits)
    for file in files:
        data = read(file)
        left_bytes -= len(data)
        if left_bytes < 0:
            problems.append(_too_much(file, limits))
            break
        content = read_file(data, file, limits=limits, memo=memo, values=values)
        documents = [one for one in content.documents if not is_optional(file) or _is_object(one)]
        objects = to_manifests(documents, locate=partial(_in_file, file), shape=shape)
        manifests += objects.manifests
        problems += (*content.problems, *objects.problems)
    return Objects(tuple(manifests), tuple(problems))


def read_generated(data: bytes, file: str, *, limits: Limits, shape: Shaper | None) -> Objects:
    """Manifests that a program made from a file: which line of it made them cannot be told."""
    content = read_file(data, file, limits=limits)
    objects = to_manifests(content.documents, locate=lambda _body, _line: Origin(file), shape=shape)
    problems = (*(replace(each, origin=Origin(file)) for each in content.problems), *objects.problems)
    return Objects(objects.manifests, problems)


def no_manifests(path: str) -> Problem:
    """What to tell of a path that declares nothing: emptied by mistake it would take everything with it."""
    return Problem(
        "no manifests",
        origin=Origin(path or "."),
        remedy="correct the path; to remove all objects, delete the Application",
        reason="NoManifests",
    )


def _in_file(file: str, _body: dict[str, Any], line: int) -> Origin:
    return Origin(file, line)


def _is_object(document: Document) -> bool:
    value = document.value
    return isinstance(value, dict) and ("apiVersion" in value or "kind" in value)


def _too_much(file: str, limits: Limits) -> Problem:
    message = f"the files read up to here hold more than {limits.total_bytes} bytes"
    return Problem(message, origin=Origin(file), remedy="split the Application", reason="InvalidManifest")
