"""The verdict on a suspicion: which declared fields of a live object differ, from what, to what, by whom.

The server's answer to a (dry-run) apply and the object as it was seen flow in; findings flow out to the ledger, status,
Events and metrics. Values of Secrets stay behind here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.core.fields.fieldset import Paths
from trimtab.core.fields.likeness import fulfils
from trimtab.core.fields.managed import ManagedEntry, entries_of, our_paths
from trimtab.core.fields.path import MISSING, Path, SegmentKind, is_under, resolve, same, text_of
from trimtab.core.fields.shape import Shaper
from trimtab.drift.actor import UNKNOWN, actor_of
from trimtab.drift.presentable import pair

PRESENT = "present"
"""What a deleted object is declared to be."""


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """One declared field that is not as declared; `path_text` is empty where the object itself is gone.

    `declared` and `live` are JSON values or MISSING, bounded in size, masked in Secrets. `actor` is the field manager
    that managedFields name, or `unknown`.
    """

    path_text: str
    declared: Any
    live: Any
    actor: str = UNKNOWN


def gone(body: Mapping[str, Any]) -> FieldDrift:
    """The finding on an object that Git declares and that is not there."""
    return FieldDrift("", f"{body['kind']} {PRESENT}", MISSING)


def differences(
    answer: Mapping[str, Any], live: Mapping[str, Any], *, paths: Paths | None = None, masked: bool = True
) -> tuple[FieldDrift, ...]:
    """Declared fields whose value in `live` is not that of the server's `answer`, in the order of their paths.

    Both must have been read at one apiVersion. `paths` are those of our Apply entry in the answer, unless said
    otherwise. A missing list item is one finding, whatever was in it. Null equals absent; defaults, undeclared fields
    and items, and the order of keyed lists do not matter; quantities were put into one spelling by the server.
    """
    declared = our_paths(answer) if paths is None else paths
    pairs = ((path, resolve(answer, path)) for path in sorted(declared))
    found = _differing(pairs, live, inner=_inner(declared), equal=_equal)
    return _findings(found, live, masked=masked)


def differences_from_manifest(
    body: Mapping[str, Any], live: Mapping[str, Any], *, masked: bool = True
) -> tuple[FieldDrift, ...]:
    """The same without an answer, where the server refuses to apply `body` over the live object (422).

    Lists are keyed as managedFields show it; spelling of quantities and left-out zero values are forgiven.
    """
    entries = entries_of(live)
    whole = _wholes(entries, live)
    values: dict[Path, Any] = {}
    for path, value in Shaper(entries).values(body).items():
        atom = next((path[:depth] for depth in range(1, len(path)) if path[:depth] in whole), None)
        values[atom or path] = resolve(body, atom) if atom else value
    items = {path for path in values if path[-1].kind is not SegmentKind.FIELD}
    pairs = sorted(values.items(), key=lambda pair: pair[0])
    found = list(_differing(pairs, live, inner=items, equal=_fulfilled))
    # What we still own as a whole nobody has changed: what more it holds are defaults, as a fieldRef's apiVersion.
    atoms = ((path, values[path], resolve(live, path)) for path in (whole & values.keys()) - our_paths(live))
    found += [(path, declared, now) for path, declared, now in atoms if _grown(declared, now)]
    return _findings(sorted(found, key=lambda finding: finding[0]), live, masked=masked)


def _wholes(entries: Sequence[ManagedEntry], live: Mapping[str, Any]) -> Paths:
    """Maps with content of which somebody owns the whole and nobody a part: the schema calls them atomic."""
    owned = frozenset(path for entry in entries for path in entry.paths)
    parted = {path[:depth] for path in owned for depth in range(1, len(path))}
    return frozenset(
        path for path in owned - parted if path[-1].kind is SegmentKind.FIELD and _filled(resolve(live, path))
    )


def _filled(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _grown(declared: object, live: object) -> bool:
    """Whether an atomic map that is otherwise as declared holds more."""
    return (
        isinstance(declared, Mapping)
        and isinstance(live, Mapping)
        and fulfils(live, declared)
        and not live.keys() <= declared.keys()
    )


def _differing(
    pairs: Iterable[tuple[Path, Any]], live: Mapping[str, Any], *, inner: set[Path], equal: Any
) -> Iterable[tuple[Path, Any, Any]]:
    """Path, declared and live value of what differs; what lies below a missing path is passed over."""
    absent: Path | None = None
    for path, declared in pairs:
        if absent is not None and is_under(path, absent):
            continue
        found = resolve(live, path)
        if path in inner:
            if found is MISSING and declared is not MISSING:
                absent = path
                yield path, declared, found
        elif not equal(declared, found):
            yield path, declared, found


def _findings(
    found: Iterable[tuple[Path, Any, Any]], live: Mapping[str, Any], *, masked: bool
) -> tuple[FieldDrift, ...]:
    entries = entries_of(live)
    secret = masked and (live.get("apiVersion"), live.get("kind")) == ("v1", "Secret")
    return tuple(
        FieldDrift(text_of(path), *pair(path, declared, now, secret=secret), actor_of(path, entries))
        for path, declared, now in found
    )


def _inner(paths: Paths) -> set[Path]:
    """Members with other members below them: containers, whose content is judged member by member."""
    ancestors = {path[:depth] for path in paths for depth in range(1, len(path))}
    return ancestors & paths


def _equal(declared: object, live: object) -> bool:
    return same(None if declared is MISSING else declared, None if live is MISSING else live)


def _fulfilled(declared: object, live: object) -> bool:
    return fulfils(live, declared)
