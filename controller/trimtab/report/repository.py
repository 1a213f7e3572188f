"""The status of a GitRepository, from what a fetch came to.

The repository and its news flow in, the next status flows out; it is written where it differs.
"""

from dataclasses import dataclass
from typing import Any

from trimtab.api.git_contents import GitContentsStatus, ObservedInclude
from trimtab.api.git_repository import Artifact, Commit, GitRepository, GitRepositoryStatus
from trimtab.api.timestamps import format_time
from trimtab.api.verification import VerifiedBy
from trimtab.core.errors import Problem
from trimtab.core.revision import Revision
from trimtab.report.conditions import Said, merge
from trimtab.report.source_said import source_said
from trimtab.report.source_verified import source_verified


@dataclass(frozen=True, slots=True)
class ArtifactNews:
    """What was fetched, and when it was first seen (seconds since the epoch). `digest` like `sha1:<tree SHA>`."""

    revision: Revision
    seen_seconds: float
    commit: Commit | None = None
    digest: str = ""
    included: tuple["ArtifactNews", ...] = ()
    """What was included, in the order of the spec."""


@dataclass(frozen=True, slots=True)
class VerifiedNews:
    """Who signed the artifact: `message` says it for people, `by` for programs."""

    by: VerifiedBy
    message: str


@dataclass(frozen=True, slots=True)
class RepositoryNews:
    """What a turn came to: an artifact, a problem, a rest, or (none of them) a first fetch under way.

    `verified` tells of the artifact, `unverified` of the problem: that the commit found is not signed as asked.
    """

    artifact: ArtifactNews | None = None
    problem: Problem | None = None
    suspended: bool = False
    verified: VerifiedNews | None = None
    unverified: bool = False


def repository_status(repository: GitRepository, news: RepositoryNews, *, now_seconds: float) -> GitRepositoryStatus:
    """The next status; the time counts from the epoch. Equal news give an equal status, however late they come."""
    old, metadata = repository.status, repository.metadata
    asked = repository.spec.verify
    fetched = str(news.artifact.revision) if news.artifact else ""
    said = source_said(old, fetched=fetched, problem=news.problem, suspended=news.suspended)
    said = (*said, *(_verification(news, old) if asked else ()))
    # A new artifact comes with its own signer; without one, what is told of the last artifact stays.
    keep = asked is not None and news.artifact is None
    handled = news.artifact is not None or news.problem is not None
    return GitRepositoryStatus(
        observed_generation=metadata.generation,
        conditions=merge(old.conditions, said, generation=metadata.generation, now_seconds=now_seconds),
        last_handled_reconcile_at=(metadata.requested_at if handled else "") or old.last_handled_reconcile_at,
        artifact=_artifact(news.artifact, old.artifact),
        commit=(news.artifact.commit if news.artifact else None) or old.commit,
        source_verification_mode=(
            asked.mode if asked and news.verified else old.source_verification_mode if keep else None
        ),
        verified=news.verified.by if asked and news.verified else old.verified if keep else None,
        included_artifacts=_included(news.artifact, old),
        **_observed(repository, news.artifact),
    )


def _observed(repository: GitRepository, news: ArtifactNews | None) -> dict[str, Any]:
    """By which of the spec's fields the artifact was made; what is not used is not told."""
    if news is None:
        old = repository.status
        return {name: getattr(old, name) for name in GitContentsStatus.model_fields}
    spec = repository.spec
    return {
        "observed_ignore": spec.ignore,
        "observed_sparse_checkout": spec.sparse_checkout or None,
        "observed_recurse_submodules": spec.recurse_submodules or None,
        "observed_include": tuple(map(ObservedInclude.of, spec.include)) or None,
    }


def _included(news: ArtifactNews | None, old: GitRepositoryStatus) -> tuple[Artifact, ...] | None:
    if news is None:
        return old.included_artifacts
    return tuple(artifact for each in news.included if (artifact := _artifact(each, None))) or None


def _verification(news: RepositoryNews, old: GitRepositoryStatus) -> tuple[Said, ...]:
    return source_verified(
        old,
        message=news.verified.message if news.verified else "",
        refused=news.problem if news.unverified else None,
    )


def _artifact(news: ArtifactNews | None, old: Artifact | None) -> Artifact | None:
    if news is None:
        return old
    revision, digest = str(news.revision), news.digest or None
    if old and (old.revision, old.digest) == (revision, digest):
        return old
    return Artifact(revision=revision, digest=digest, last_update_time=format_time(news.seen_seconds))
