"""The status of a GitRepository, from what a fetch came to.

`SourceFacts` flow in with the last status, the next status flows out; `status_patch` tells whether to write it.
"""

from dataclasses import dataclass
from enum import StrEnum

from trimtab.api.application import READY
from trimtab.api.git_repository import Artifact, Commit, GitRepositoryStatus
from trimtab.api.model import ConditionStatus
from trimtab.api.timestamps import format_time
from trimtab.core.revision import Revision
from trimtab.report.conditions import Said, failing, merge, progressing, true


class SourcePhase(StrEnum):
    """Where the work on a GitRepository stands."""

    FETCHING = "Fetching"
    FETCHED = "Fetched"
    FAILED = "Failed"
    SUSPENDED = "Suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What is known of a source at one moment. Times are seconds since the epoch.

    `revision`, `digest` and `commit` are what stands there after a fetch; a failure keeps what stood before.
    """

    generation: int
    now_seconds: float
    phase: SourcePhase
    revision: Revision | None = None
    digest: str = ""
    commit: Commit | None = None
    reason: str = ""
    message: str = ""
    retry: bool = True
    requested_at: str = ""


def source_status(facts: SourceFacts, old: GitRepositoryStatus) -> GitRepositoryStatus:
    """The next status. Equal facts give an equal status, however late they come."""
    return GitRepositoryStatus(
        observed_generation=facts.generation,
        conditions=merge(old.conditions, _said(facts, old), generation=facts.generation, now_seconds=facts.now_seconds),
        last_handled_reconcile_at=facts.requested_at or old.last_handled_reconcile_at,
        artifact=_artifact(facts, old),
        commit=facts.commit or old.commit,
    )


def _said(facts: SourceFacts, old: GitRepositoryStatus) -> tuple[Said, ...]:
    if facts.phase is SourcePhase.SUSPENDED:
        before = old.condition(READY)
        message = facts.message or "suspended: not fetched until spec.suspend is false"
        return (Said(READY, before.status if before else ConditionStatus.UNKNOWN, "Suspended", message),)
    if facts.phase is SourcePhase.FAILED:
        return failing(facts.reason or "FetchFailed", facts.message or "the fetch failed", retry=facts.retry)
    if facts.phase is SourcePhase.FETCHING:
        return progressing(facts.reason or "Fetching", facts.message or "fetching for the first time")
    return (true(READY, "Fetched", f"fetched {facts.revision}"),)


def _artifact(facts: SourceFacts, old: GitRepositoryStatus) -> Artifact | None:
    if facts.revision is None:
        return old.artifact
    revision, digest = str(facts.revision), facts.digest or None
    if old.artifact and (old.artifact.revision, old.artifact.digest) == (revision, digest):
        return old.artifact
    return Artifact(revision=revision, digest=digest, last_update_time=format_time(facts.now_seconds))
