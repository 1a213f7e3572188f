"""Sets of paths, from and to FieldsV1.

FieldsV1 is a tree: `{"f:spec": {"f:replicas": {}}}`. An empty map is a member of the set, `.` makes an inner node one.
managedFields flow in; drift compares along the paths, plan's claims compute with the sets and write them back.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trimtab.core.fields.path import Path, is_under, segment

FieldsV1 = Mapping[str, Any]
Paths = frozenset[Path]

_SELF = "."


def paths_of(tree: FieldsV1) -> Paths:
    """All member paths of a FieldsV1 tree. Raises ValueError where a key is no segment."""
    return frozenset(_members(tree, ()))


def _members(tree: FieldsV1, at: Path) -> Iterator[Path]:
    for name, below in tree.items():
        if name == _SELF:
            continue
        path = (*at, segment(name))
        if not below or _SELF in below:
            yield path
        if below:
            yield from _members(below, path)


def fields_v1(paths: Iterable[Path]) -> dict[str, Any]:
    """The FieldsV1 tree of these paths: the inverse of `paths_of`."""
    root: dict[str, Any] = {}
    for path in sorted(paths):
        node = root
        for depth, step in enumerate(path):
            name = str(step)
            if name not in node:
                node[name] = {}
            elif not node[name] and depth < len(path) - 1:
                # A member without children so far: its membership needs the dot once it gets one.
                node[name][_SELF] = {}
            node = node[name]
    return root


def under(paths: Iterable[Path], parent: Path) -> Paths:
    """The paths at or below `parent`."""
    return frozenset(path for path in paths if is_under(path, parent))
