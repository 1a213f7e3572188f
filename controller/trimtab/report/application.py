"""The status of an Application, from what the loop knows.

The Application and its news flow in, the next status flows out; it is written where it differs.
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
    Application,
    ApplicationStatus,
    DriftMode,
    ErrorItem,
    HistoryItem,
    InventoryCount,
    RemoteBaseRevision,
)
from trimtab.api.model import ConditionStatus
from trimtab.api.source_refs import SourceRevision
from trimtab.api.timestamps import format_time
from trimtab.core.errors import Problem
from trimtab.core.refs import ObjectRef
from trimtab.core.revision import Revision
from trimtab.core.visible import visible
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
class ApplicationNews:
    """What is known of an Application at one moment.

    `revision` is the one last attempted, `sources` are those of the further sources by name (None: not known). `reason`
    and `message` explain Waiting, Applying, Failed and Deleting; a failure without a message is told by its first
    problem. `retry` says whether time alone may mend it. `healths` and `objects` cover what is owned; `blind` names the
    types whose watch does not work, and why; `overdue` says that health was waited for as long as `timeout` allows.
    `supersedes` is a revision that was given up for this one. `bases` are the revisions of the remote bases by their
    names (None: not known).
    """

    phase: Phase
    revision: Revision | None = None
    sources: Mapping[str, str] | None = None
    reason: str = ""
    message: str = ""
    retry: bool = True
    problems: Sequence[Problem] = ()
    objects: int = 0
    healths: Mapping[ObjectRef, Health] = field(default_factory=dict)
    drift: Sequence[DriftRecord] = ()
    blind: str = ""
    overdue: bool = False
    supersedes: Revision | None = None
    bases: Mapping[str, str] | None = None
    note: str = ""
    """What to know of a revision that was applied, beside that it was."""


def application_status(application: Application, news: ApplicationNews, *, now_seconds: float) -> ApplicationStatus:
    """The next status; the time counts from the epoch. Equal news give an equal status, however late they come."""
    old, metadata = application.status, application.metadata
    health = worst(news.healths)
    said = (*_ready(application, news, health), _healthy(news, health), _drifted(news, application.spec.drift.mode))
    handled = news.phase in (Phase.APPLIED, Phase.FAILED)
    revision = str(news.revision) if news.revision else None
    return ApplicationStatus(
        observed_generation=metadata.generation,
        conditions=merge(old.conditions, said, generation=metadata.generation, now_seconds=now_seconds),
        last_handled_reconcile_at=(metadata.requested_at if handled else "") or old.last_handled_reconcile_at,
        last_applied_revision=revision if revision and news.phase is Phase.APPLIED else old.last_applied_revision,
        last_attempted_revision=revision or old.last_attempted_revision,
        sources=_sources(news, old),
        remote_bases=_bases(news, old),
        inventory=_count(news),
        drift=drift_items(news.drift),
        errors=tuple(error_item(problem) for problem in news.problems[:ERROR_ITEMS]),
        errors_total=len(news.problems) or None,
        history=_history(news, old.history, now_seconds),
    )


def _ready(application: Application, news: ApplicationNews, health: Health) -> tuple[Said, ...]:
    # Suspension stops the judging too: what was last true of Ready stays, and the message says why nothing moves.
    if news.phase is Phase.SUSPENDED:
        before = application.status.condition(READY)
        message = news.message or "suspended: neither synced nor healed until spec.suspend is false"
        return (Said(READY, before.status if before else ConditionStatus.UNKNOWN, "Suspended", message),)
    if news.phase is Phase.FAILED:
        return failing(news.reason or "Failed", news.message or _first_problem(news), retry=news.retry)
    if news.phase is not Phase.APPLIED:
        return progressing(news.reason or news.phase.value, news.message or _progress(news))
    applied = f"applied {news.revision}" + (f"; {news.note}" if news.note else "")
    if not application.spec.wait or health.current:
        return (true(READY, "Applied", applied),)
    message = f"{applied}; {health.message}"
    # The end of the wait ends nothing but the waiting: objects that become healthy later still make it Ready.
    if news.overdue or health.status is HealthStatus.FAILED:
        return (false(READY, "Unhealthy", message),)
    return false(READY, "WaitingForHealth", message), true(RECONCILING, "WaitingForHealth", message)


def _progress(news: ApplicationNews) -> str:
    return {
        Phase.WAITING: "waiting for the first revision of its source",
        Phase.APPLYING: f"applying {news.revision}",
    }.get(news.phase, "deleting what it owns")


def _first_problem(news: ApplicationNews) -> str:
    if not news.problems:
        return "failed"
    more = len(news.problems) - 1
    return str(news.problems[0]) + (f" (and {more} more error{'s' if more > 1 else ''})" if more else "")


def _healthy(news: ApplicationNews, health: Health) -> Said:
    if not news.healths and news.phase is not Phase.APPLIED:
        return unknown(HEALTHY, "NothingApplied", "nothing has been applied yet")
    if health.current:
        return true(HEALTHY, health.status, health.message)
    if health.status is HealthStatus.UNKNOWN:
        return unknown(HEALTHY, health.status, health.message)
    return false(HEALTHY, health.status, health.message)


def _drifted(news: ApplicationNews, mode: DriftMode) -> Said:
    if news.phase is Phase.SUSPENDED or mode is DriftMode.IGNORE:
        why = "drift.mode is Ignore" if news.phase is not Phase.SUSPENDED else "the Application is suspended"
        return unknown(DRIFTED, "NotWatched", f"drift is not looked for: {why}")
    if news.blind:
        return unknown(DRIFTED, "WatchBroken", f"drift is not seen until the watches work again, of {news.blind}")
    if any(record.standing for record in news.drift):
        return true(DRIFTED, "DriftDetected", drift_sentence(news.drift))
    return false(DRIFTED, "NoDrift", "every declared field is as declared")


def _sources(news: ApplicationNews, old: ApplicationStatus) -> tuple[SourceRevision, ...] | None:
    if news.sources is None:
        return old.sources
    return tuple(SourceRevision(name=name, revision=revision) for name, revision in news.sources.items()) or None


def _bases(news: ApplicationNews, old: ApplicationStatus) -> tuple[RemoteBaseRevision, ...] | None:
    """Those of what was applied: what failed since then says nothing of it."""
    if news.bases is None or news.phase is not Phase.APPLIED:
        return old.remote_bases
    return tuple(RemoteBaseRevision(url=url, revision=revision) for url, revision in news.bases.items()) or None


def _count(news: ApplicationNews) -> InventoryCount:
    return InventoryCount(
        objects=news.objects,
        ready=sum(health.current for health in news.healths.values()),
        drifted=len({record.ref for record in news.drift if record.standing}),
    )


def error_item(problem: Problem) -> ErrorItem:
    """The problem as status and the CLI show it."""
    remedy = f" ({problem.remedy})" if problem.remedy else ""
    return ErrorItem(
        object=str(problem.ref) if problem.ref else None,
        file=visible(problem.origin.file) if problem.origin else None,
        line=problem.origin.line or None if problem.origin else None,
        message=shorten(problem.message + remedy, characters=_MESSAGE_CHARACTERS),
        artifact=problem.artifact or None,
        commit=problem.last_change.commit if problem.last_change else None,
        author=visible(problem.last_change.author) if problem.last_change else None,
    )


def _history(news: ApplicationNews, history: tuple[HistoryItem, ...], now_seconds: float) -> tuple[HistoryItem, ...]:
    if news.supersedes:
        history = _ended(history, news.supersedes, "Superseded", "", now_seconds)
    if news.revision and news.phase is Phase.APPLIED:
        history = _ended(history, news.revision, Phase.APPLIED, "", now_seconds)
    if news.revision and news.phase is Phase.FAILED:
        message = news.message or _first_problem(news)
        history = _ended(history, news.revision, Phase.FAILED, message, now_seconds)
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
