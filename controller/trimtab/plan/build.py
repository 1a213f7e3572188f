"""Desired manifests, inventory and sights in, a plan out: the one place that decides what is done with each object.

The loop calls `build` for a revision (and to heal), `teardown` when the Application is deleted; `diff` prints the same
plan. Objects fail alone: a guard's refusal takes one object out, or keeps objects from being pruned, and is reported.
"""

from collections.abc import Mapping, Sequence

from trimtab.api.application import DeletionPolicy
from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.inventory import Entry
from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef
from trimtab.plan import order, prune
from trimtab.plan.changes import Change, Orphan, Plan
from trimtab.plan.decide import decide
from trimtab.plan.digest import plan_digest
from trimtab.plan.guards import declared_twice
from trimtab.plan.guards.foreign_owner import HeldByOther
from trimtab.plan.options import PlanOptions
from trimtab.plan.sight import Sight, Unsure

_UNSEEN = Unsure("nobody has looked yet")


def build(
    desired: Sequence[Manifest],
    inventory: Mapping[ObjectRef, Entry],
    observed: Mapping[ObjectRef, Sight],
    options: PlanOptions,
) -> Plan:
    """The plan that makes the cluster look like `desired`.

    `desired`: normalised and marked. `observed`: a sight of each desired and each inventory object; none is Unsure.
    Never raises: what a guard refuses is in the plan's `refused`.
    """
    changes: list[Change] = []
    refused: list[Problem] = []
    declared: dict[ObjectRef, Manifest] = {}
    for manifest in desired:
        ref = manifest.ref
        try:
            declared_twice.check(manifest, declared.get(ref))
            declared[ref] = manifest
            change = decide(manifest, inventory.get(ref), observed.get(ref, _UNSEEN), options)
            if change is not None:
                changes.append(change)
        except HeldByOther as refusal:
            refused += refusal.problems
            if ref in inventory:
                # What another Application holds must not stay in our inventory: it could be pruned from there.
                changes.append(Orphan(ref, inventory[ref], "belongs to another Application", unmark=False))
        except PlanRefused as refusal:
            refused += refusal.problems
    digest = plan_digest(declared, options)
    left = {ref: entry for ref, entry in inventory.items() if ref not in declared}
    pruned = prune.prune(left, observed, options, declared=declared, digest=digest)
    return _plan((*changes, *pruned.changes), (*refused, *pruned.refused), pruned.kept, options, digest=digest)


def teardown(
    inventory: Mapping[ObjectRef, Entry],
    observed: Mapping[ObjectRef, Sight],
    options: PlanOptions,
    *,
    policy: DeletionPolicy = DeletionPolicy.DELETE,
) -> Plan:
    """The plan that lets go of everything an Application holds, because it is being deleted.

    With DELETE objects are deleted, those nobody could see as well (behind a GET or a UID precondition); whatever a
    guard protects is let go. With ORPHAN all stay in the cluster, without our marks.
    """
    if policy is DeletionPolicy.ORPHAN:
        changes: Sequence[Change] = prune.orphan_all(inventory, observed, options)
    else:
        changes = prune.delete_all(inventory, observed, options)
    return _plan(changes, (), (), options, digest="", teardown=True)


def _plan(
    changes: Sequence[Change],
    refused: tuple[Problem, ...],
    kept: tuple[ObjectRef, ...],
    options: PlanOptions,
    *,
    digest: str,
    teardown: bool = False,
) -> Plan:
    return Plan(
        options,
        changes=order.in_order(changes),
        edges=order.edges(changes, plurals=options.plurals),
        refused=refused,
        kept=kept,
        digest=digest,
        teardown=teardown,
    )
