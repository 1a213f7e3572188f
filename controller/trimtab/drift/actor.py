"""Who changed a field, as far as the API server recorded it.

The live object's managedFields flow in with a drifted path; `compare` puts the name into its findings.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from trimtab.core.fields.managed import ManagedEntry
from trimtab.core.fields.path import Path, is_under

UNKNOWN: Final = "unknown"
"""Nobody is named: so it is for removed labels and list items, and for deletions."""


def actor_of(path: Path, entries: Sequence[ManagedEntry]) -> str:
    """The manager that holds the path, else the latest that holds something below it, else a whole that it is part of.

    A write takes a path from all managers that held another value, so whoever holds it now has set it.
    """
    others = [entry for entry in entries if not entry.ours]
    return (
        _latest(entry for entry in others if path in entry.paths)
        or _latest(entry for entry in others if any(is_under(held, path) for held in entry.paths))
        or _latest(entry for entry in others if _holds_whole(entry, path, others))
        or UNKNOWN
    )


def _holds_whole(entry: ManagedEntry, path: Path, others: Sequence[ManagedEntry]) -> bool:
    """Whether the entry holds an ancestor of the path as an undivided value: nobody holds a part of it."""
    for depth in range(len(path) - 1, 0, -1):
        if path[:depth] in entry.paths:
            held = (each for other in others for each in other.paths)
            return not any(len(each) > depth and is_under(each, path[:depth]) for each in held)
    return False


def _latest(entries: Iterable[ManagedEntry]) -> str:
    # RFC 3339 in UTC sorts as text; an entry without a time is older than any other.
    latest = max(entries, key=lambda entry: entry.time, default=None)
    return latest.manager if latest else ""
