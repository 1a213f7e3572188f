"""Variables put into the strings of built objects, after their YAML was read: values add neither keys nor documents.

`to_manifests` has every object shaped by it before it is checked. A string that held an expression is read again as a
plain scalar, so that `replicas: ${REPLICAS}` becomes a number, except where Kubernetes knows only strings. No value
ever stands in a problem.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.core.names import SUBSTITUTE_MARK
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.render.expressions import BadExpression, Expression, Undefined, evaluate, parse
from trimtab.render.limits import Limits
from trimtab.render.scalars import ScalarError, resolve
from trimtab.render.source_lines import ReadSource, find_line
from trimtab.render.variables import Variables

_REASON: Final = "SubstitutionFailed"
_TEXT_KEYS: Final = frozenset({"apiVersion", "kind", "name", "namespace", "generateName"})
_TEXT_MAPS: Final = frozenset({"labels", "annotations", "matchLabels", "nodeSelector", "selector"})
_TEXT_LISTS: Final = frozenset({"args", "command"})
_DATA: Final = frozenset({"data", "stringData", "binaryData"})
_QUOTES: Final = ("'", '"')


class _TooMuch(Exception):
    """All substituted text together is more than fits into memory."""


class Substitution:
    """Shapes objects one after the other. `read_source` finds the line of a variable in the file that it came from."""

    def __init__(self, variables: Variables, *, strict: bool, limits: Limits, read_source: ReadSource) -> None:
        self._values = variables.values
        self._secrets = sorted(variables.secrets, key=len, reverse=True)
        self._strict = strict
        self._read_source = read_source
        self._limit_bytes = self._left = limits.total_bytes

    def shape(self, body: dict[str, Any], origin: Origin) -> tuple[dict[str, Any], tuple[Problem, ...]]:
        """The object with values put in, and what is wrong with it. One marked to be left alone is."""
        if _is_left_alone(body):
            return body, ()
        run = _Run(self, body, origin)
        try:
            shaped = run.mapping(body, ())
        except _TooMuch:
            message = f"all substituted values together are larger than {self._limit_bytes} bytes"
            return body, (run.problem(message, "split the Application, or use shorter values"),)
        return shaped, tuple(run.problems)

    def masked(self, problem: Problem) -> Problem:
        """The problem without values that came from Secrets."""
        message = problem.message
        for secret in self._secrets:
            message = message.replace(secret, "…")
        return replace(problem, message=message)

    def spend(self, characters: int) -> None:
        """Take so much of what all objects together may hold. Raises _TooMuch."""
        self._left -= characters
        if self._left < 0:
            raise _TooMuch

    def put_in(self, template: tuple[str | Expression, ...]) -> str:
        """A string's new value. Raises BadExpression."""
        return evaluate(template, self._values, strict=self._strict)

    def line(self, origin: Origin, fragment: str) -> Origin:
        """The line at which a fragment stands, at or below that of the object."""
        line = find_line(self._read_source(origin.file), fragment, start=origin.line) if fragment else 0
        return Origin(origin.file, line) if line else origin


def _is_left_alone(body: dict[str, Any]) -> bool:
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return False
    maps = (metadata.get(field) for field in ("annotations", "labels"))
    return any(isinstance(each, dict) and each.get(SUBSTITUTE_MARK) == "disabled" for each in maps)


class _Run:
    """One object."""

    def __init__(self, owner: Substitution, body: dict[str, Any], origin: Origin) -> None:
        self._owner = owner
        self._origin = origin
        self._ref = _ref(body)
        self._keeps_data = body.get("kind") in ("ConfigMap", "Secret") and body.get("apiVersion") == "v1"
        self._is_secret = body.get("kind") == "Secret"
        self.problems: list[Problem] = []

    def mapping(self, node: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        """A mapping with values put into its keys and values."""
        shaped: dict[str, Any] = {}
        for key, value in node.items():
            new = str(self._string(key, is_text=True)) if "$" in key else key
            if new in shaped:
                self.problems.append(self.problem(f"the key {key!r} becomes one that is there already", "rename it"))
            shaped[new] = self._node(value, (*path, key))
        return shaped

    def _node(self, node: Any, path: tuple[str, ...]) -> Any:
        if isinstance(node, str):
            return self._string(node, is_text=self._is_text(path)) if "$" in node else node
        if isinstance(node, dict):
            return self.mapping(node, path)
        if isinstance(node, list):
            return [self._node(each, (*path, "[]")) for each in node]
        return node

    def _is_text(self, path: tuple[str, ...]) -> bool:
        """Whether only a string may stand here."""
        key = path[-1]
        if key in _TEXT_KEYS or (self._keeps_data and len(path) == 2 and path[0] in _DATA):
            return True
        above = path[-2] if len(path) > 1 else ""
        if key == "[]":
            return above in _TEXT_LISTS
        return above in _TEXT_MAPS or (key == "value" and path[-3:-1] == ("env", "[]"))

    def _string(self, text: str, *, is_text: bool) -> Any:
        try:
            template = parse(text)
            value = self._owner.put_in(template)
        except BadExpression as error:
            self.problems.append(self._refusal(error))
            return text
        self._owner.spend(len(value))
        if is_text or not any(isinstance(part, Expression) for part in template):
            return value
        return _reread(value)

    def _refusal(self, error: BadExpression) -> Problem:
        remedy = "write $$ for a dollar sign"
        fragment = error.fragment
        if isinstance(error, Undefined):
            remedy = f"set {error.name} in spec.postBuild, give a default by ${{{error.name}:=…}}, or {remedy}"
            fragment = error.name
        shown = f"{error.fragment!r}: " if error.fragment and not self._is_secret else ""
        return self.problem(f"{shown}{error}", remedy, fragment)

    def problem(self, message: str, remedy: str, fragment: str = "") -> Problem:
        """A problem of this object, at the line of the fragment."""
        origin = self._owner.line(self._origin, fragment)
        remedy = f"{remedy}; or annotate the object with {SUBSTITUTE_MARK}: disabled"
        return Problem(message, ref=self._ref, origin=origin, remedy=remedy, reason=_REASON)


def _reread(value: str) -> Any:
    """What YAML makes of the value as a plain scalar; one in quotes is the string between them."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in _QUOTES and value[0] not in value[1:-1]:
        return value[1:-1]
    try:
        return resolve(value)
    except ScalarError:
        return value


def _ref(body: dict[str, Any]) -> ObjectRef | None:
    """Who the object is, as far as it can be said before values are put in."""
    try:
        ref = ObjectRef.of(body, cluster=LOCAL_CLUSTER)
    except (KeyError, TypeError, AttributeError):
        return None
    return ref if all(isinstance(part, str) for part in _parts(ref)) else None


def _parts(ref: ObjectRef) -> Iterator[Any]:
    yield from (ref.group, ref.kind, ref.namespace, ref.name)
