"""Nothing is pruned while the desired state is incomplete: what could not be read must not look deleted."""

from trimtab.core.errors import Problem
from trimtab.plan.guards.verdict import KeepTracked
from trimtab.plan.options import PlanOptions


class DesiredIncomplete(KeepTracked):
    """Some file, build or lookup failed."""


def check(options: PlanOptions, *, candidates: int) -> None:
    """Raises DesiredIncomplete where objects would be pruned though not everything could be read."""
    if options.complete or not candidates:
        return
    raise DesiredIncomplete(
        Problem(
            f"nothing was pruned: the desired state is incomplete, {candidates} object(s) may only seem to be gone",
            remedy="mend the other errors first",
            reason="PruneHeld",
        )
    )
