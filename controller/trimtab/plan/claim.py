"""Taking over: managedFields under which the next apply removes what others own and Git does not declare.

Server-side apply removes only what our last entry held. A claim moves others' paths into our entry, and adds what
nobody owns; the apply that follows removes what it does not declare. Each function takes the live object, as read at
the manifest's apiVersion, and returns the whole new `metadata.managedFields` to PATCH with the resourceVersion of that
read, or None where there is nothing to take. Fields and list items that nobody declared stay where they can.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum
from typing import Any

from trimtab.core.api_error import ApiError, Cause
from trimtab.core.fields.fieldset import Paths, under
from trimtab.core.fields.managed import APPLY, ManagedEntry, entries_of, our_paths, written
from trimtab.core.fields.path import Path, fields, is_under
from trimtab.core.fields.shape import Shaper
from trimtab.core.names import FIELD_MANAGER
from trimtab.plan.collisions import Collisions

DECLARERS = frozenset(
    {"kubectl", "kubectl-client-side-apply", "kubectl-create", "kubectl-replace", "kubectl-run", "kubectl-expose"}
    | {"before-first-apply", "helm", "Helm", "helm-controller", "kustomize-controller"}
    | {"argocd-controller", "argocd-application-controller", "Terraform", "HashiCorp", "pulumi-kubernetes"}
)
"""Managers that write what somebody declared as a whole: an adopted object is taken over from them.

Edits by hand (`kubectl-edit`, `-patch`, `-label`, …) and controllers are none: what they added stays.
"""

REPLICAS: Path = fields("spec", "replicas")
"""Scaled by others as often as declared: removing it would reset it to its default."""

_IMMUTABLE = re.compile(r"immutable|updates? to|may not change|may not be changed|cannot be changed", re.IGNORECASE)
"""Refusals of any change: whose field it is makes no difference."""

_NEVER = (fields("metadata", "finalizers"), fields("metadata", "ownerReferences"), fields("status"))
"""Never taken: their removal lets go what others still have to finish, or deletes the object."""


class Breadth(IntEnum):
    """How much a claim after a refusal takes: the caller goes on to the next where the apply is refused again."""

    COLLIDING = 0
    """What the server's message points at, and no more."""
    SIBLINGS = 1
    """Everything undeclared beside a declared field that was lost, within what the message points at."""
    PARENTS = 2
    """The same one level up and further, though never a whole `spec`."""


def claim_for_adoption(
    live: Mapping[str, Any], body: Mapping[str, Any], *, managers: Collection[str] = DECLARERS
) -> list[dict[str, Any]] | None:
    """Before the first apply to an object that is not ours: all paths of those who declared it before.

    `live` needs its metadata only. What they declared and `body` does not is removed by the apply, replicas excepted.
    """
    entries = entries_of(live)
    spare = () if _declares_replicas(body) else (REPLICAS,)
    taken = frozenset(
        path
        for entry in _takeable(entries, live)
        if entry.manager in managers
        for path in entry.paths
        if not any(is_under(path, kept) for kept in spare)
    )
    return _claimed(live, entries, taken, giving=managers)


def claim_after_invalid(
    live: Mapping[str, Any], body: Mapping[str, Any], causes: Sequence[Cause], *, breadth: Breadth = Breadth.COLLIDING
) -> list[dict[str, Any]] | None:
    """After the server refused an apply of `body`: what stands in its way, as far as `breadth` goes.

    `causes` come from `causes_of`. None: nothing undeclared is in the way, so that only Git can mend it.
    """
    entries = entries_of(live)
    shaper = Shaper(entries)
    standing = shaper.paths(live).union(*(entry.paths for entry in _takeable(entries, live)))
    collisions = Collisions(live, declared=shaper.values(body), standing=standing, owned=our_paths(live))
    roots = {
        Breadth.COLLIDING: collisions.named,
        Breadth.SIBLINGS: collisions.beside_lost,
        Breadth.PARENTS: collisions.around_lost,
    }[breadth](causes)
    taken = frozenset(path for root in roots for path in (root, *under(standing, root)))
    return _claimed(live, entries, taken)


def claim_dropped(live: Mapping[str, Any], body: Mapping[str, Any], *, dropped: Paths) -> list[dict[str, Any]] | None:
    """Before a revision's apply: what the last revision declared and `body` does not, and others own by now.

    `dropped` are the paths that the last one declared (`declared_paths` of its manifest); those still declared are
    passed over. Replicas are left to whoever scales.
    """
    entries = entries_of(live)
    shaper = Shaper(entries)
    others = frozenset(path for entry in _takeable(entries, live) for path in entry.paths)
    standing = shaper.paths(live) | others
    gone = dropped - shaper.paths(body) - {REPLICAS}
    collisions = Collisions(live, declared=shaper.values(body), standing=standing, owned=our_paths(live))
    roots = collisions.of_dropped(gone)
    taken = frozenset(path for root in roots for path in under(standing, root))
    return _claimed(live, entries, taken) if taken & others else None


def declared_paths(body: Mapping[str, Any], live: Mapping[str, Any]) -> Paths:
    """The paths that a manifest declares, with list keys as the live object's managedFields show them."""
    return Shaper(entries_of(live)).paths(body)


def causes_of(error: ApiError) -> tuple[Cause, ...]:
    """What a refusal points at, as far as a claim may mend it: empty for every other error.

    A node port that two ports of a Service ask for comes as a 500 without causes.
    """
    if "duplicate nodePort" in error.message:
        return (Cause("spec.ports[0].nodePort", error.message),)
    if not error.invalid:
        return ()
    return tuple(cause for cause in error.causes if not _IMMUTABLE.search(cause.message))


def _declares_replicas(body: Mapping[str, Any]) -> bool:
    spec = body.get("spec")
    return isinstance(spec, Mapping) and "replicas" in spec


def _takeable(entries: Sequence[ManagedEntry], live: Mapping[str, Any]) -> list[ManagedEntry]:
    """Others' entries whose paths are those of this body: same apiVersion, and no subresource."""
    return [entry for entry in entries if not entry.ours and not entry.subresource and _same_version(entry, live)]


def _same_version(entry: ManagedEntry, live: Mapping[str, Any]) -> bool:
    return entry.api_version == live.get("apiVersion")


def _claimed(
    live: Mapping[str, Any],
    entries: Sequence[ManagedEntry],
    taken: Paths,
    *,
    giving: Collection[str] | None = None,
) -> list[dict[str, Any]] | None:
    """The entries with `taken` moved into ours, from all others or from the managers `giving`."""
    taken = frozenset(path for path in taken if not any(is_under(path, kept) for kept in _NEVER))
    ours = next((entry for entry in entries if entry.ours), None)
    if ours is None:
        ours = ManagedEntry(FIELD_MANAGER, APPLY, str(live.get("apiVersion", "")), "", "", frozenset())
    # An entry of ours from another apiVersion cannot hold this body's paths.
    if not _same_version(ours, live):
        return None
    takeable = _takeable(entries, live)
    others = [entry for entry in entries if not entry.ours]
    rest = [
        entry.without(taken) if entry in takeable and (giving is None or entry.manager in giving) else entry
        for entry in others
    ]
    # What we own together with others has to leave their entries too: else they keep it standing.
    if taken <= ours.paths and rest == others:
        return None
    mine = ManagedEntry(ours.manager, ours.operation, ours.api_version, "", ours.time, ours.paths | taken)
    return written([*rest, mine])
