"""A revision that renders to nothing does not delete everything unless somebody confirms it."""

from trimtab.core.errors import Problem
from trimtab.plan.guards.verdict import KeepTracked
from trimtab.plan.options import PlanOptions


class EverythingGone(KeepTracked):
    """No object is declared any more."""


def check(options: PlanOptions, *, declared: int, candidates: int, digest: str) -> None:
    """Raises EverythingGone where all would be pruned and `trimtab.dev/confirm` does not name this plan."""
    if declared or not candidates or options.confirmed == digest:
        return
    raise EverythingGone(
        Problem(
            f"nothing was pruned: this revision declares no object at all and would delete all {candidates}",
            remedy=f"restore the files, or confirm with the annotation trimtab.dev/confirm: {digest}",
            reason="ConfirmationNeeded",
        )
    )
