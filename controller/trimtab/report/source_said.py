"""What the conditions of a source say of its artifact, whatever its kind.

What a turn came to and the last status flow in, what to say flows out; the statuses of sources are made with it.
"""

from trimtab.api.application import READY
from trimtab.api.model import ConditionStatus, Status
from trimtab.core.errors import Problem
from trimtab.report.conditions import Said, failing, progressing, true


def source_said(old: Status, *, fetched: str, problem: Problem | None, suspended: bool) -> tuple[Said, ...]:
    """`fetched` names what was fetched, empty where nothing was; with nothing at all, a first fetch is under way."""
    # Suspension stops the judging too: what was last true of Ready stays, and the message says why nothing moves.
    if suspended:
        before = old.condition(READY)
        status = before.status if before else ConditionStatus.UNKNOWN
        return (Said(READY, status, "Suspended", "suspended: not fetched until spec.suspend is false"),)
    if problem:
        return failing(problem.reason, str(problem), retry=problem.retry)
    if fetched:
        return (true(READY, "Fetched", f"fetched {fetched}"),)
    return progressing("Fetching", "fetching for the first time")
