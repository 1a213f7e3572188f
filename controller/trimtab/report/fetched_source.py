"""The status of an OCIRepository or HelmRepository, from what a fetch came to.

The object's metadata, its last status and its news flow in, the next status flows out; it is written where it
differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.api.fetched import FetchedArtifact, FetchedStatus
from trimtab.api.model import ObjectMeta, Status
from trimtab.api.oci_repository import OciRepositoryStatus
from trimtab.api.timestamps import format_time
from trimtab.core.errors import Problem
from trimtab.report.conditions import Said, merge
from trimtab.report.source_said import source_said
from trimtab.report.source_verified import source_verified


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedNews:
    """What a turn came to: a revision, a problem, a rest, or (none of them) a first fetch under way.

    `verifies` says that the spec asks for a signature, `unverified` that the problem is the lack of one.
    """

    revision: str = ""
    seen_seconds: float = 0.0
    digest: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    signed_by: str = ""
    problem: Problem | None = None
    suspended: bool = False
    verifies: bool = False
    unverified: bool = False


def fetched_status(
    model: type[FetchedStatus], metadata: ObjectMeta, last: Status, news: FetchedNews, *, now_seconds: float
) -> FetchedStatus:
    """The next status; the time counts from the epoch. Equal news give an equal status, however late they come."""
    old = last if isinstance(last, FetchedStatus) else model()
    handled = bool(news.revision) or news.problem is not None
    fetched = f"{news.revision}, signed by {news.signed_by}" if news.signed_by else news.revision
    said = source_said(old, fetched=fetched, problem=news.problem, suspended=news.suspended)
    said = (*said, *(_verified(news, old) if news.verifies else ()))
    status = model(
        observed_generation=metadata.generation,
        conditions=merge(old.conditions, said, generation=metadata.generation, now_seconds=now_seconds),
        last_handled_reconcile_at=(metadata.requested_at if handled else "") or old.last_handled_reconcile_at,
        artifact=_artifact(news, old.artifact),
    )
    if isinstance(status, OciRepositoryStatus):
        before = old.signed_by if isinstance(old, OciRepositoryStatus) else None
        return status.model_copy(update={"signed_by": (news.signed_by or None) if news.revision else before})
    return status


def _verified(news: FetchedNews, old: FetchedStatus) -> tuple[Said, ...]:
    message = f"the artifact is signed by {news.signed_by}" if news.revision else ""
    return source_verified(old, message=message, refused=news.problem if news.unverified else None)


def _artifact(news: FetchedNews, old: FetchedArtifact | None) -> FetchedArtifact | None:
    if not news.revision:
        return old
    digest, metadata = news.digest or None, dict(news.metadata) or None
    if old and (old.revision, old.digest, old.metadata) == (news.revision, digest, metadata):
        return old
    return FetchedArtifact(
        revision=news.revision,
        digest=digest,
        last_update_time=format_time(news.seen_seconds),
        metadata=metadata,
    )
