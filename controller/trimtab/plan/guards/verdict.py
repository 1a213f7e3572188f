"""The two ways in which a guard may stand in the way of a prune.

Each guard raises its own kind of one of them; `plan.build` and `plan.teardown` catch both at one place.
"""

from dataclasses import dataclass

from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.inventory import Entry
from trimtab.core.refs import ObjectRef
from trimtab.plan.options import PlanOptions
from trimtab.plan.sight import Sight


@dataclass(frozen=True, slots=True)
class Prune:
    """An object that left Git, or all of whose Application goes: may it be deleted?"""

    ref: ObjectRef
    entry: Entry
    sight: Sight
    options: PlanOptions


class KeepTracked(PlanRefused):
    """Not deleted now; the inventory goes on holding it, and the problem is reported."""


class LetGo(PlanRefused):
    """Not deleted, and not held any longer: the object stays in the cluster without our marks."""

    unmark = True
    """Whether marks of ours are to be taken off."""

    def __init__(self, ref: ObjectRef, why: str) -> None:
        super().__init__(Problem(why, ref=ref, reason="Orphaned"))
        self.why = why
