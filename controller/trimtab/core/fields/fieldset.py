"""Sets of paths, from and to FieldsV1, and the walk that reads a live object along them.

FieldsV1 is a tree: `{"f:spec": {"f:replicas": {}}}`. An empty map is a member of the set, `.` makes an inner node one.
Drift's baseline walks the tree as it is; plan's claims compute with sets of paths and write them back.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trimtab.core.fields.path import MISSING, Path, Segment, is_under, segment, step_into

FieldsV1 = Mapping[str, Any]
Paths = frozenset[Path]

_SELF = "."


def paths_of(tree: FieldsV1) -> Paths:
    """All member paths of a FieldsV1 tree. Raises ValueError where a key is no segment."""
    return frozenset(path for path, _ in walk(tree, None))


def walk(tree: FieldsV1, value: object, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each member path of a FieldsV1 tree with the value that `value` has there (MISSING: none), in sorted order."""
    steps = sorted((segment(name), below) for name, below in tree.items() if name != _SELF)
    for step, below in steps:
        path = (*at, step)
        found = MISSING if value is MISSING else step_into(value, step)
        if not below or _SELF in below:
            yield path, found
        if below:
            yield from walk(below, found, path)


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


def leaves(paths: Paths) -> Paths:
    """The paths that have no other path of the set below them."""
    inner = {path[:depth] for path in paths for depth in range(1, len(path))}
    return paths - inner


def children(paths: Iterable[Path], parent: Path) -> frozenset[Segment]:
    """The segments that follow `parent` in the set."""
    return frozenset(path[len(parent)] for path in paths if len(path) > len(parent) and is_under(path, parent))
