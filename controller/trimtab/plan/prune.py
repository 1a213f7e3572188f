"""What becomes of objects that left Git, or whose Application goes: deleted, let go, forgotten or kept.

`plan.build` and `plan.teardown` call it with inventory entries and sights; the guards have the last word.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from trimtab.core.errors import Problem
from trimtab.core.inventory import Applied, Entry
from trimtab.core.refs import ObjectRef
from trimtab.plan.changes import Change, Delete, Forget, Orphan
from trimtab.plan.guards import (
    created_namespace,
    empty_desired,
    foreign_owner,
    not_complete,
    prune_disabled,
    self_prune,
    still_used,
    unsure,
)
from trimtab.plan.guards.verdict import KeepTracked, LetGo, Prune
from trimtab.plan.options import PlanOptions
from trimtab.plan.references import holds_others, lives_in
from trimtab.plan.sight import Foreign, Missing, Sight, Unsure

_UNSEEN = Unsure("nobody has looked yet")
_GUARDS = (
    foreign_owner.check_prune,
    created_namespace.check_prune,
    self_prune.check_prune,
    prune_disabled.check_prune,
)


@dataclass(frozen=True, slots=True)
class Pruned:
    """Changes to make, problems to report, and what stays in the inventory though it left Git."""

    changes: tuple[Change, ...] = ()
    refused: tuple[Problem, ...] = ()
    kept: tuple[ObjectRef, ...] = ()


def prune(
    left: Mapping[ObjectRef, Entry],
    observed: Mapping[ObjectRef, Sight],
    options: PlanOptions,
    *,
    declared: Collection[ObjectRef],
    digest: str,
) -> Pruned:
    """Decide on the inventory's objects that are declared no more. Never raises."""
    if not options.prune or not left:
        return Pruned(kept=tuple(left))
    there = sum(not isinstance(observed.get(ref), Missing) for ref in left)
    count = sum(ref != options.created_namespace for ref in declared)
    try:
        not_complete.check(options, candidates=len(left))
        empty_desired.check(options, declared=count, candidates=there, digest=digest)
    except KeepTracked as refusal:
        return Pruned(refused=refusal.problems, kept=tuple(left))
    return _each(left, observed, options, staying={*declared, *options.held, *options.neighbours})


def _each(
    left: Mapping[ObjectRef, Entry],
    observed: Mapping[ObjectRef, Sight],
    options: PlanOptions,
    *,
    staying: set[ObjectRef],
) -> Pruned:
    changes: list[Change] = []
    refused: list[Problem] = []
    kept: list[ObjectRef] = []
    # What other objects live in comes last, because it depends on what became of those.
    for ref in sorted(left, key=holds_others):
        case = Prune(ref, left[ref], observed.get(ref, _UNSEEN), options)
        if holds_others(ref) and any(lives_in(other, ref, options.plurals) for other in kept):
            kept.append(ref)
            continue
        try:
            unsure.check_prune(case)
        except KeepTracked as refusal:
            refused += refusal.problems
            kept.append(ref)
            continue
        changes.append(change := _judge(case, staying))
        if isinstance(change, Orphan):
            staying.add(ref)
    return Pruned(tuple(changes), tuple(refused), tuple(kept))


def delete_all(
    inventory: Mapping[ObjectRef, Entry], observed: Mapping[ObjectRef, Sight], options: PlanOptions
) -> list[Change]:
    """Delete everything that no guard protects; what it protects is let go."""
    changes: list[Change] = []
    staying = {*options.held, *options.neighbours}
    for ref in sorted(inventory, key=holds_others):
        case = Prune(ref, inventory[ref], observed.get(ref, _UNSEEN), options)
        changes.append(change := _judge(case, staying))
        if isinstance(change, Orphan):
            staying.add(ref)
    return changes


def orphan_all(
    inventory: Mapping[ObjectRef, Entry], observed: Mapping[ObjectRef, Sight], options: PlanOptions
) -> list[Change]:
    """Let go of everything; what is another Application's by now keeps its marks."""
    changes: list[Change] = []
    for ref, entry in inventory.items():
        sight = observed.get(ref, _UNSEEN)
        if isinstance(sight, Missing):
            changes.append(Forget(ref, entry))
            continue
        try:
            foreign_owner.check_prune(Prune(ref, entry, sight, options))
            changes.append(Orphan(ref, entry, "deletionPolicy: Orphan"))
        except LetGo as refusal:
            changes.append(Orphan(ref, entry, refusal.why, unmark=refusal.unmark))
    return changes


def _judge(case: Prune, staying: Collection[ObjectRef]) -> Change:
    """Delete, Forget or Orphan."""
    if isinstance(case.sight, Missing):
        return Forget(case.ref, case.entry)
    try:
        for guard in _GUARDS:
            guard(case)
        still_used.check_prune(case, staying)
    except LetGo as refusal:
        return Orphan(case.ref, case.entry, refusal.why, unmark=refusal.unmark)
    return Delete(case.ref, case.entry, verify=_to_verify(case))


def _to_verify(case: Prune) -> bool:
    """Whether the inventory and the last sight do not suffice to call the object ours."""
    match case.sight:
        case Unsure():
            return True
        case Foreign(live=live):
            return not (isinstance(case.entry, Applied) and live.uid == case.entry.uid)
        case _:
            return not (isinstance(case.entry, Applied) and getattr(case.sight, "uid", "") == case.entry.uid)
