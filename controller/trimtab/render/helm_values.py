"""The values of a chart, merged from files, ConfigMaps, Secrets and the spec in the order of Helm and Flux.

The chart stage of the renderer gives what it read; one mapping flows out that goes to helm as a values file, and what
no message may show of it. Merging is helm's own: mappings merge, everything else is replaced, and a null stays, so
that helm takes the chart's own value away.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

from trimtab.api.helm import HelmSpec, ValuesKind, ValuesReference
from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.documents import read_file
from trimtab.render.helm_set import SetError, assign
from trimtab.render.inputs import InputRef, values_ref

Objects = Mapping[InputRef, Mapping[str, bytes] | None]

_REASON: Final = "InvalidValues"
_FIELD: Final = "spec.helm.valuesFrom"


@dataclass(frozen=True, slots=True)
class Values:
    """What helm gets. `repr` shows nothing of it."""

    merged: dict[str, Any]
    secrets: frozenset[str]
    """Texts that came from Secrets, for masking."""

    def __repr__(self) -> str:
        return "Values(…)"


def compose(helm: HelmSpec, files: Sequence[tuple[str, bytes]], objects: Objects) -> Values:
    """Merge the files (path, content), then valuesFrom, then the inline values. Raises RenderError with all faults."""
    problems: list[Problem] = []
    merged: dict[str, Any] = {}
    secrets: set[str] = set()
    for file, data in files:
        merged = merge(merged, _mapping(data, file, problems))
    for reference in helm.values_from:
        found = _look_up(reference, objects, problems)
        if found is None:
            continue
        label = f"{reference.kind} {reference.name}, key {reference.values_key}"
        secret = reference.kind is ValuesKind.SECRET
        if reference.target_path is None:
            read = _mapping(found, label, problems, secret=secret)
            merged = merge(merged, read)
            secrets |= set(_texts(read)) if secret else set()
            continue
        text = found.decode(errors="replace")
        secrets |= {text, text.strip("'\"")} if secret else set()
        try:
            merged = deepcopy(merged)
            assign(merged, reference.target_path, text, literal=reference.literal)
        except SetError as error:
            message = f"targetPath {reference.target_path}: {error}"
            problems.append(_wrong(message, label, "correct targetPath or the value"))
    if problems:
        raise RenderError(*problems)
    return Values(merge(merged, helm.values), frozenset(secrets - {""}))


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`; neither is changed."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = merge(under, value) if both else value  # type: ignore[arg-type]
    return merged


def _look_up(reference: ValuesReference, objects: Objects, problems: list[Problem]) -> bytes | None:
    """The data that a reference names; None where it is not there, which is a problem unless it is optional."""
    data = objects.get(values_ref(reference))
    found = None if data is None else data.get(reference.values_key)
    if found is None and not reference.optional:
        missing = "does not exist" if data is None else f"has no key {reference.values_key}"
        message = f"{reference.kind} {reference.name} {missing}"
        remedy = "create it in the Application's namespace, or set optional: true"
        problems.append(Problem(message, origin=Origin(_FIELD), remedy=remedy, reason="ValuesNotFound", retry=True))
    return found


def _mapping(data: bytes, label: str, problems: list[Problem], *, secret: bool = False) -> dict[str, Any]:
    """A values file's content; empty where it is none, which adds problems."""
    content = read_file(data, label)
    if content.problems:
        problems += (_hidden(problem) for problem in content.problems) if secret else content.problems
        return {}
    if not content.documents:
        return {}
    value = content.documents[0].value
    if len(content.documents) > 1 or not isinstance(value, dict):
        problems.append(_wrong("values are not one mapping", label, "write keys and their values"))
        return {}
    return value


def _hidden(problem: Problem) -> Problem:
    """The same without what the parser says of the content."""
    return replace(problem, message="not valid YAML", remedy="correct the Secret")


def _texts(value: Any) -> Iterator[str]:
    """All scalars of a value as a template may write them."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _wrong(message: str, label: str, remedy: str) -> Problem:
    return Problem(message, origin=Origin(label), remedy=remedy, reason=_REASON)
