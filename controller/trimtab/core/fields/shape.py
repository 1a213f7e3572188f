"""The paths that an object's own structure would own if it were applied, without asking the server.

Manifests and live objects flow in with the list keys that managedFields show; plan and drift use the paths where the
server refuses to answer an apply (422), and to tell what a former revision declared.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trimtab.core.fields.fieldset import Paths
from trimtab.core.fields.managed import ManagedEntry
from trimtab.core.fields.path import Path, Segment, SegmentKind, field, keyed, names_of, valued

SET: tuple[str, ...] = ()
"""The key of a list whose items are their own key."""

ListKeys = Mapping[tuple[str, ...], tuple[str, ...]]
"""Field names on the way to a list → the names of its items' key fields (`SET` for sets); absent: an atomic list."""

_UNSENT = frozenset({"apiVersion", "kind", "status"})
_UNSENT_METADATA = frozenset(
    {"name", "namespace", "managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds"}
)

_NAMED = ("name",)
_WELL_KNOWN: Mapping[tuple[str, ...], tuple[str, ...]] = {
    # From the list-map-keys that the built-in types' OpenAPI declares, by the last field names.
    ("containers",): _NAMED,
    ("initContainers",): _NAMED,
    ("ephemeralContainers",): _NAMED,
    ("env",): _NAMED,
    ("volumes",): _NAMED,
    ("imagePullSecrets",): _NAMED,
    ("webhooks",): _NAMED,
    ("volumeMounts",): ("mountPath",),
    ("volumeDevices",): ("devicePath",),
    ("hostAliases",): ("ip",),
    ("topologySpreadConstraints",): ("topologyKey", "whenUnsatisfiable"),
    ("containers", "ports"): ("containerPort", "protocol"),
    ("initContainers", "ports"): ("containerPort", "protocol"),
    ("spec", "ports"): ("port", "protocol"),
    ("finalizers",): SET,
    ("ownerReferences",): ("uid",),
}
_DEFAULT_KEY_VALUES = {"protocol": "TCP"}


class Shaper:
    """Turns objects into paths, with the list keys learnt from one object's managedFields."""

    def __init__(self, entries: Iterable[ManagedEntry]) -> None:
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._seen: dict[tuple[str, ...], set[Segment]] = {}
        for entry in entries:
            for path in entry.paths:
                self._learn(path)

    def _learn(self, path: Path) -> None:
        for depth, step in enumerate(path):
            if step.kind is SegmentKind.KEY:
                names = names_of(path[:depth])
                self._keys[names] = tuple(step.key)
                self._seen.setdefault(names, set()).add(step)
            elif step.kind is SegmentKind.VALUE:
                self._keys[names_of(path[:depth])] = SET

    def paths(self, body: Mapping[str, Any]) -> Paths:
        """The leaves and list items that `body` declares, server-kept metadata and status left out."""
        return frozenset(self.values(body))

    def values(self, body: Mapping[str, Any]) -> dict[Path, Any]:
        """The same paths with the values that `body` declares there; an item's value is the whole item."""
        content = {name: value for name, value in body.items() if name not in _UNSENT}
        metadata = body.get("metadata") or {}
        content["metadata"] = {name: value for name, value in metadata.items() if name not in _UNSENT_METADATA}
        if not content["metadata"]:
            del content["metadata"]
        return dict(self._below(content, ()))

    def _below(self, value: object, at: Path) -> Iterator[tuple[Path, Any]]:
        if isinstance(value, Mapping) and (value or not at):
            for name, inner in value.items():
                yield from self._below(inner, (*at, field(name)))
            return
        items = self._items(value, at) if isinstance(value, list) else None
        if not items:
            yield at, value
            return
        for step, item in items:
            yield (*at, step), item
            if isinstance(item, Mapping):
                yield from self._below(item, (*at, step))

    def _items(self, value: list[Any], at: Path) -> list[tuple[Segment, Any]] | None:
        """A list's items with their segments, None for an atomic list."""
        names = names_of(at)
        keys = self._keys.get(names)
        if keys is None:
            keys = _WELL_KNOWN.get(names[-2:], _WELL_KNOWN.get(names[-1:]))
        if keys is None:
            return None
        if keys == SET:
            return [(valued(item), item) for item in value]
        if not all(isinstance(item, Mapping) for item in value):
            return None
        return [(self._segment(item, keys, names), item) for item in value]

    def _segment(self, item: Mapping[str, Any], keys: tuple[str, ...], names: tuple[str, ...]) -> Segment:
        present = {name: item[name] for name in keys if item.get(name) is not None}
        if len(present) < len(keys):
            # A key field left to its default: the server's own segment tells the default, if exactly one fits.
            fitting = [step for step in self._seen.get(names, ()) if present.items() <= step.key.items()]
            if len(fitting) == 1:
                return fitting[0]
        return keyed({name: present.get(name, _DEFAULT_KEY_VALUES.get(name)) for name in keys})
