"""Before a revision replaces another: who is to own what the last one declared and this one does not.

Live object, manifest and the last revision's manifest flow in; out comes the whole new `metadata.managedFields`, to be
PATCHed with the resourceVersion of that read before the apply. Apply's steps call it for updates that ask to be looked
at first.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trimtab.core.fields.managed import UPDATE, ManagedEntry, entries_of, our_entry, written
from trimtab.core.fields.path import MISSING, resolve
from trimtab.core.manifest import Manifest
from trimtab.plan.claim import REPLICAS, claim_dropped, declared_paths

HANDED_OVER: Final = "trimtab-handed-over"
"""Field manager that keeps a value which is no longer declared until somebody else sets it."""


def before_revision(live: dict[str, Any], manifest: Manifest, previous: Manifest | None) -> list[dict[str, Any]] | None:
    """The managedFields under which applying `manifest` drops what `previous` declared, and resets no replicas.

    None where they are right as they are.
    """
    claimed = None
    if previous is not None:
        claimed = claim_dropped(live, manifest.body, dropped=declared_paths(previous.body, live))
    if claimed is not None:
        live = {**live, "metadata": {**live["metadata"], "managedFields": claimed}}
    return hand_over_replicas(live, manifest.body) or claimed


def hand_over_replicas(live: Mapping[str, Any], body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The managedFields that give `spec.replicas` to another manager, where we alone own it and declare it no more.

    An apply without it would otherwise set the default: three replicas would become one. None where nothing is to do.
    """
    ours = our_entry(live)
    if ours is None or REPLICAS not in ours.paths or resolve(body, REPLICAS) is not MISSING:
        return None
    entries = entries_of(live)
    if any(REPLICAS in entry.paths for entry in entries if not entry.ours):
        return None
    keeper = ManagedEntry(HANDED_OVER, UPDATE, ours.api_version, "", ours.time, frozenset({REPLICAS}))
    kept = [
        replace(entry, paths=entry.paths | keeper.paths) if _is_keeper(entry, keeper) else entry for entry in entries
    ]
    return written(kept if any(_is_keeper(entry, keeper) for entry in entries) else [*kept, keeper])


def _is_keeper(entry: ManagedEntry, keeper: ManagedEntry) -> bool:
    return (entry.manager, entry.operation, entry.api_version) == (
        keeper.manager,
        keeper.operation,
        keeper.api_version,
    )
