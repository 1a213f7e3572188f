"""Which undeclared fields of a live object stand in the way of a manifest: the search behind `claim`.

Live object, manifest and the sets of declared, standing and owned paths flow in; out come roots: the uppermost
undeclared paths, each below something declared.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from trimtab.core.api_error import Cause
from trimtab.core.fields.fieldset import Paths
from trimtab.core.fields.likeness import fulfils
from trimtab.core.fields.path import MISSING, Path, SegmentKind, fields, is_under, names_of, resolve, same

_BRACKETS = re.compile(r"\[[^\]]*\]")
_LAST_KEY = re.compile(r"\[([^\]]*)\]$")
_WORDS = re.compile(r"[\w./-]+")
_MAPS = frozenset(
    {"labels", "annotations", "data", "binaryData", "limits", "requests", "hard", "matchLabels", "nodeSelector"}
)
"""Maps of free keys: what others put beside ours in one of these is theirs, never a form of ours."""
_TAGS = frozenset({"labels", "annotations"})
"""Never in the way of anything, though messages quote them."""
_TOO_WIDE = frozenset({(), ("spec",), ("metadata",)})
"""Where a message is about the whole object, only what its text names is to blame."""


class Collisions:
    """The undeclared parts of one live object, seen from one manifest."""

    def __init__(self, live: Mapping[str, Any], *, declared: Mapping[Path, Any], standing: Paths, owned: Paths) -> None:
        self._live = live
        self._declared = declared
        spine = _spine(declared)
        self._spine = spine
        self._roots = frozenset(root for path in standing if (root := _root(path, spine)))
        self._lost = frozenset(
            path
            for path, value in declared.items()
            if path not in owned or not _stands(resolve(live, path), path, value)
        )

    def named(self, causes: Sequence[Cause]) -> set[Path]:
        """Roots that the causes name, and undeclared list items equal to a declared one where a cause says so."""
        found: set[Path] = set()
        for cause in causes:
            names = _names(cause.field)
            exact = {root for root in self._roots if _is_field(root) and _names_root(cause, names, root)}
            # Of what stands inside the part that the cause names, the message may tell which.
            inside = {root for root in exact if len(names_of(root)) > len(names)}
            told = {root for root in inside if root[-1].text in _words(cause)}
            exact -= inside - told if told else set()
            beside = {root for root in exact if any(is_under(lost, root[:-1]) for lost in self._lost)}
            found |= (beside or exact) | self._equal_items(names)
        return found

    def beside_lost(self, causes: Sequence[Cause]) -> set[Path]:
        """Roots below the smallest living parent of a lost field, where a cause lies below that parent too."""
        return {
            root
            for parent in self._lost_parents(causes)
            for root in self._roots
            if is_under(root, parent) and not _in_map(root)
        }

    def around_lost(self, causes: Sequence[Cause]) -> set[Path]:
        """Roots below the nearest ancestor of a lost field that has any, two fields deep at least."""
        found: set[Path] = set()
        for parent in self._lost_parents(causes):
            for depth in range(len(parent), 1, -1):
                around = {root for root in self._roots if is_under(root, parent[:depth]) and not _in_map(root)}
                if around:
                    found |= around
                    break
        return found

    def of_dropped(self, dropped: Paths) -> set[Path]:
        """Roots of what was declared once: each path itself, or what took its place where it is gone."""
        found: set[Path] = set()
        for path in dropped:
            root = _first_outside(path, self._spine)
            if root is None:
                continue
            whole = next((path[:depth] for depth in range(len(root), len(path) + 1) if _is_item(path[:depth])), path)
            if resolve(self._live, whole) is not MISSING:
                found.add(whole)
                continue
            # Gone: another form of it may stand where it stood, in a part that is no longer declared at all.
            parent = self._living(path)
            if is_under(parent, root) and not _is_map(parent):
                found.add(parent)
        return found

    def _lost_parents(self, causes: Sequence[Cause]) -> set[Path]:
        named = [_names(cause.field) for cause in causes]
        parents = {self._living(path[:-1]) for path in self._lost}
        return {
            parent
            for parent in parents
            if len(parent) > 1 and any(names[: len(names_of(parent))] == names_of(parent) for names in named)
        }

    def _living(self, path: Path) -> Path:
        """The path itself or its nearest ancestor that the live object has."""
        depth = len(path)
        while depth and resolve(self._live, path[:depth]) is MISSING:
            depth -= 1
        return path[:depth]

    def _equal_items(self, names: tuple[str, ...]) -> set[Path]:
        """Undeclared items of a list that have what a declared item has at the field that the cause names."""
        found: set[Path] = set()
        for root in self._roots:
            lists = names_of(root)
            if not _is_item(root) or names[: len(lists)] != lists:
                continue
            rest = fields(*names[len(lists) :])
            siblings = [path for path in self._declared if path[:-1] == root[:-1] and _is_item(path)]
            value = resolve(self._live, (*root, *rest))
            if not rest or any(_equal(resolve(self._declared[path], rest), value) for path in siblings):
                found.add(root)
        return found


def _spine(paths: Iterable[Path]) -> Collection[Path]:
    """All paths and their ancestors."""
    return {path[:depth] for path in paths for depth in range(1, len(path) + 1)}


def _root(path: Path, spine: Collection[Path]) -> Path | None:
    """The uppermost undeclared part of a path, None where all of it is declared; of a map of free keys, one key."""
    root = _first_outside(path, spine)
    if root is None or not _is_map(root):
        return root
    return path[: len(root) + 1] if len(path) > len(root) else None


def _is_map(path: Path) -> bool:
    return _is_field(path) and path[-1].text in _MAPS


def _first_outside(path: Path, spine: Collection[Path]) -> Path | None:
    return next((path[:depth] for depth in range(1, len(path) + 1) if path[:depth] not in spine), None)


def _names(field: str) -> tuple[str, ...]:
    """`spec.ports[0].name` → the field names without indexes."""
    return tuple(name for name in _BRACKETS.sub("", field).split(".") if name)


def _names_root(cause: Cause, names: tuple[str, ...], root: Path) -> bool:
    """Whether a cause points at a root, at something in it, or at the part of the object that it stands in."""
    if names in _TOO_WIDE:
        return names == ("spec",) and root[:-1] == fields("spec") and root[-1].text in _words(cause)
    if _in_map(root):
        return _names_key(cause, names, root)
    own = names_of(root)
    shorter = min(len(own), len(names))
    return own[:shorter] == names[:shorter] and len(own) <= len(names) + 1


def _words(cause: Cause) -> list[str]:
    return _WORDS.findall(cause.message)


def _names_key(cause: Cause, names: tuple[str, ...], root: Path) -> bool:
    """Whether a cause points at this key of a map: maps are named as a whole, keys in brackets or in the text."""
    owner, words = names_of(root[:-2]), _words(cause)
    if root[-2].text in _TAGS or names[: len(owner)] != owner:
        return False
    if names[-1:] != (root[-2].text,) and root[-2].text not in words:
        return False
    bracketed = _LAST_KEY.search(cause.field)
    return root[-1].text == bracketed[1] if bracketed else root[-1].text in words


def _is_item(path: Path) -> bool:
    return path[-1].kind is not SegmentKind.FIELD


def _is_field(path: Path) -> bool:
    return path[-1].kind is SegmentKind.FIELD


def _in_map(root: Path) -> bool:
    return len(root) > 1 and _is_map(root[:-1])


def _stands(live: object, path: Path, declared: object) -> bool:
    return live is not MISSING if _is_item(path) else fulfils(live, declared)


def _equal(wanted: object, live: object) -> bool:
    return live is MISSING if wanted is MISSING else same(wanted, live)
