"""One field of an object: the way to it, its text for people, and the value that stands there.

Segments come from the keys of FieldsV1 (`f:name`, `k:{…}`, `v:…`, `i:0`); plan and drift resolve paths in live objects.
"""

import json
from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple


class Missing(Enum):
    """The type of `MISSING`, so that it can stand in annotations."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""No value stands at a path; unlike None, which is a JSON null that does."""


class SegmentKind(StrEnum):
    """FieldsV1's prefixes: a field of a map, a list item by its key fields, by its value, by its index."""

    FIELD = "f"
    INDEX = "i"
    KEY = "k"
    VALUE = "v"


class Segment(NamedTuple):
    """One step. `text` is the field's name, the canonical JSON of the key fields or of the value, or the index."""

    kind: SegmentKind
    text: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.text}"

    @property
    def key(self) -> dict[str, Any]:
        """The key fields of a KEY segment, empty for every other kind."""
        return dict(_parsed(self.text)) if self.kind is SegmentKind.KEY else {}

    def selects(self, item: object) -> bool:
        """Whether a list item is the one that this KEY or VALUE segment names; an absent key field equals null."""
        if self.kind is SegmentKind.KEY:
            # Asked for every item of every list at every watch event: hence plain loops.
            if not isinstance(item, dict):
                return False
            for name, value in _parsed(self.text).items():  # noqa: SIM110
                if not same(item.get(name), value):
                    return False
            return True
        return self.kind is SegmentKind.VALUE and same(item, _parsed(self.text))


Path = tuple[Segment, ...]
"""The way from the object's root to a field; hashable and ordered, parents before their children."""


def canonical(value: object) -> str:
    """JSON text that is the same for equal values: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=16384)
def segment(text: str) -> Segment:
    """Parse one key of FieldsV1. Raises ValueError where it is none (`.` is not a segment either)."""
    prefix, colon, rest = text.partition(":")
    try:
        kind = SegmentKind(prefix)
    except ValueError:
        raise ValueError(f"not a FieldsV1 segment: {text!r}") from None
    if not colon:
        raise ValueError(f"not a FieldsV1 segment: {text!r}")
    if kind in (SegmentKind.KEY, SegmentKind.VALUE):
        return Segment(kind, canonical(json.loads(rest)))
    return Segment(kind, str(int(rest)) if kind is SegmentKind.INDEX else rest)


def field(name: str) -> Segment:
    """The segment of a map's field."""
    return Segment(SegmentKind.FIELD, name)


def keyed(key: Mapping[str, Any]) -> Segment:
    """The segment of the list item with these key fields."""
    return Segment(SegmentKind.KEY, canonical(key))


def valued(value: object) -> Segment:
    """The segment of the set item with this value."""
    return Segment(SegmentKind.VALUE, canonical(value))


def fields(*names: str) -> Path:
    """A path of plain fields: `fields("spec", "replicas")`."""
    return tuple(field(name) for name in names)


def text_of(path: Path) -> str:
    """A path as people read it: `spec.template.spec.containers[name=web].image`."""
    parts: list[str] = []
    for step in path:
        if step.kind is SegmentKind.FIELD:
            plain = step.text.replace("_", "").replace("-", "").isalnum()
            parts.append((f".{step.text}" if parts else step.text) if plain else f"[{step.text}]")
        elif step.kind is SegmentKind.KEY:
            pairs = ",".join(f"{name}={_plain(value)}" for name, value in step.key.items())
            parts.append(f"[{pairs}]")
        elif step.kind is SegmentKind.VALUE:
            parts.append(f"[={_plain(_parsed(step.text))}]")
        else:
            parts.append(f"[{step.text}]")
    return "".join(parts)


def names_of(path: Path) -> tuple[str, ...]:
    """The path's field names alone, list items left out: what the API server's error messages can be matched with."""
    return tuple(step.text for step in path if step.kind is SegmentKind.FIELD)


def is_under(path: Path, parent: Path) -> bool:
    """Whether `path` is `parent` or lies below it."""
    return path[: len(parent)] == parent


def step_into(value: object, step: Segment) -> Any:
    """What stands one segment below a value: MISSING where nothing does."""
    if step.kind is SegmentKind.FIELD:
        return value.get(step.text, MISSING) if isinstance(value, dict) else MISSING
    if not isinstance(value, list):
        return MISSING
    if step.kind is SegmentKind.INDEX:
        index = int(step.text)
        return value[index] if index < len(value) else MISSING
    return next((item for item in value if step.selects(item)), MISSING)


def resolve(body: object, path: Path) -> Any:
    """The value at a path of an object, MISSING where there is none."""
    value: Any = body
    for step in path:
        value = step_into(value, step)
        if value is MISSING:
            return MISSING
    return value


def same(left: object, right: object) -> bool:
    """Equality of JSON values: order of fields aside, 1 equals 1.0 and true does not equal 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return left == right


@lru_cache(maxsize=16384)
def _parsed(text: str) -> Any:
    return json.loads(text)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else canonical(value)
