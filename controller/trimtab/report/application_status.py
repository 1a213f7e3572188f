"""The status of an Application, from what the loop knows.

`ApplicationFacts` flow in with the last status, the next status flows out; `status_patch` tells whether to write it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from trimtab.api.application import (
    DRIFTED,
    HEALTHY,
    READY,
    RECONCILING,
    ApplicationStatus,
    DriftMode,
    ErrorItem,
    HistoryItem,
    InventoryCount,
)
from trimtab.api.model import ConditionStatus
from trimtab.api.timestamps import format_time
from trimtab.core.errors import Problem
from trimtab.core.refs import ObjectRef
from trimtab.core.revision import Revision
from trimtab.health.status import Health, HealthStatus, worst
from trimtab.report.conditions import Said, failing, false, merge, progressing, shorten, true, unknown
from trimtab.report.drift_items import DriftRecord, drift_items, drift_sentence

ERROR_ITEMS: Final = 50
HISTORY_ITEMS: Final = 10
_MESSAGE_CHARACTERS: Final = 1024


class Phase(StrEnum):
    """Where the work on an Application stands."""

    WAITING = "Waiting"
    """For its source, whose first revision is not there yet."""
    APPLYING = "Applying"
    APPLIED = "Applied"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFacts:
    """What is known of an Application at one moment. Times are seconds since the epoch.

    `revision` is the one last attempted. `reason` and `message` explain Waiting, Applying, Failed and Deleting; a
    failure without a message is told by its first problem. `retry` says whether time alone may mend it. `healths` and
    `objects` cover what is owned; `overdue` says that health was waited for as long as `timeout` allows. `supersedes`
    is a revision that was given up for this one.
    """

    generation: int
    now_seconds: float
    phase: Phase
    revision: Revision | None = None
    reason: str = ""
    message: str = ""
    retry: bool = True
    problems: Sequence[Problem] = ()
    objects: int = 0
    healths: Mapping[ObjectRef, Health] = field(default_factory=dict)
    drift: Sequence[DriftRecord] = ()
    drift_mode: DriftMode = DriftMode.CORRECT
    wait: bool = False
    overdue: bool = False
    supersedes: Revision | None = None
    requested_at: str = ""


def application_status(facts: ApplicationFacts, old: ApplicationStatus) -> ApplicationStatus:
    """The next status. Equal facts give an equal status, however late they come."""
    health = worst(facts.healths)
    said = (*_ready(facts, health, old), _healthy(facts, health), _drifted(facts))
    revision = str(facts.revision) if facts.revision else None
    return ApplicationStatus(
        observed_generation=facts.generation,
        conditions=merge(old.conditions, said, generation=facts.generation, now_seconds=facts.now_seconds),
        last_handled_reconcile_at=facts.requested_at or old.last_handled_reconcile_at,
        last_applied_revision=revision if revision and facts.phase is Phase.APPLIED else old.last_applied_revision,
        last_attempted_revision=revision or old.last_attempted_revision,
        inventory=_count(facts),
        drift=drift_items(facts.drift),
        errors=tuple(_error(problem) for problem in facts.problems[:ERROR_ITEMS]),
        errors_total=len(facts.problems) or None,
        history=_history(facts, old),
    )


def _ready(facts: ApplicationFacts, health: Health, old: ApplicationStatus) -> tuple[Said, ...]:
    # Suspension stops the judging too: what was last true of Ready stays, and the message says why nothing moves.
    if facts.phase is Phase.SUSPENDED:
        before = old.condition(READY)
        message = facts.message or "suspended: neither synced nor healed until spec.suspend is false"
        return (Said(READY, before.status if before else ConditionStatus.UNKNOWN, "Suspended", message),)
    if facts.phase is Phase.FAILED:
        return failing(facts.reason or "Failed", facts.message or _first_problem(facts), retry=facts.retry)
    if facts.phase is not Phase.APPLIED:
        return progressing(facts.reason or facts.phase.value, facts.message or _progress(facts))
    applied = f"applied {facts.revision}"
    if not facts.wait or health.current:
        return (true(READY, "Applied", applied),)
    message = f"{applied}; {health.message}"
    # Whether a wait has ended changes the reason only: objects that become healthy later still make it Ready.
    reason = "Unhealthy" if facts.overdue or health.status is HealthStatus.FAILED else "WaitingForHealth"
    return false(READY, reason, message), true(RECONCILING, reason, message)


def _progress(facts: ApplicationFacts) -> str:
    return {
        Phase.WAITING: "waiting for the first revision of its source",
        Phase.APPLYING: f"applying {facts.revision}",
    }.get(facts.phase, "deleting what it owns")


def _first_problem(facts: ApplicationFacts) -> str:
    if not facts.problems:
        return "failed"
    more = len(facts.problems) - 1
    return str(facts.problems[0]) + (f" (and {more} more error{'s' if more > 1 else ''})" if more else "")


def _healthy(facts: ApplicationFacts, health: Health) -> Said:
    if not facts.healths and facts.phase is not Phase.APPLIED:
        return unknown(HEALTHY, "NothingApplied", "nothing has been applied yet")
    if health.current:
        return true(HEALTHY, health.status, health.message)
    if health.status is HealthStatus.UNKNOWN:
        return unknown(HEALTHY, health.status, health.message)
    return false(HEALTHY, health.status, health.message)


def _drifted(facts: ApplicationFacts) -> Said:
    if facts.phase is Phase.SUSPENDED or facts.drift_mode is DriftMode.IGNORE:
        why = "drift.mode is Ignore" if facts.phase is not Phase.SUSPENDED else "the Application is suspended"
        return unknown(DRIFTED, "NotWatched", f"drift is not looked for: {why}")
    if any(record.standing for record in facts.drift):
        return true(DRIFTED, "DriftDetected", drift_sentence(facts.drift))
    return false(DRIFTED, "NoDrift", "every declared field is as declared")


def _count(facts: ApplicationFacts) -> InventoryCount:
    return InventoryCount(
        objects=facts.objects,
        ready=sum(health.current for health in facts.healths.values()),
        drifted=len({record.ref for record in facts.drift if record.standing}),
    )


def _error(problem: Problem) -> ErrorItem:
    remedy = f" ({problem.remedy})" if problem.remedy else ""
    return ErrorItem(
        object=str(problem.ref) if problem.ref else None,
        file=problem.origin.file if problem.origin else None,
        line=problem.origin.line or None if problem.origin else None,
        message=shorten(problem.message + remedy, characters=_MESSAGE_CHARACTERS),
    )


def _history(facts: ApplicationFacts, old: ApplicationStatus) -> tuple[HistoryItem, ...]:
    history = old.history
    if facts.supersedes:
        history = _ended(history, facts.supersedes, "Superseded", "", facts.now_seconds)
    if facts.revision and facts.phase is Phase.APPLIED:
        history = _ended(history, facts.revision, Phase.APPLIED, "", facts.now_seconds)
    if facts.revision and facts.phase is Phase.FAILED:
        message = facts.message or _first_problem(facts)
        history = _ended(history, facts.revision, Phase.FAILED, message, facts.now_seconds)
    return history


def _ended(
    history: tuple[HistoryItem, ...], revision: Revision, result: str, message: str, now_seconds: float
) -> tuple[HistoryItem, ...]:
    """The history with one more ending; the same ending again adds nothing, so that retries do not push others out."""
    text = shorten(message, characters=_MESSAGE_CHARACTERS) or None
    newest = history[0] if history else None
    if newest and (newest.revision, newest.result) == (str(revision), result):
        return (newest.model_copy(update={"message": text}), *history[1:])
    item = HistoryItem(revision=str(revision), time=format_time(now_seconds), result=result, message=text)
    return (item, *history)[:HISTORY_ITEMS]
