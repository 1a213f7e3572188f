"""Plain rows for the tables that the CLI prints of our kinds.

Typed objects and the time flow in, `Table`s flow out; the CLI draws them with rich or writes them tab by tab.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from trimtab.api.application import DRIFTED, HEALTHY, READY, Application
from trimtab.api.git_repository import GitRepository
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.model import Resource, Status
from trimtab.api.oci_repository import OciRepository
from trimtab.api.timestamps import parse_time


@dataclass(frozen=True, slots=True)
class Table:
    """Column heads, and rows of as many cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def applications_table(applications: Iterable[Application]) -> Table:
    """One line per Application: what kubectl's columns show, and the objects ready of all."""
    rows = tuple(_application(each) for each in sorted(applications, key=_by_name))
    return Table(("NAMESPACE", "NAME", "READY", "HEALTHY", "OBJECTS", "DRIFTED", "REVISION", "MESSAGE"), rows)


def repositories_table(repositories: Iterable[GitRepository], *, now_seconds: float) -> Table:
    """One line per GitRepository, with the age of its newest commit."""
    rows = tuple(_repository(each, now_seconds) for each in sorted(repositories, key=_by_name))
    return Table(("NAMESPACE", "NAME", "READY", "REVISION", "COMMITTED", "SUBJECT", "MESSAGE"), rows)


def fetched_table(sources: Iterable[OciRepository | HelmRepository]) -> Table:
    """One line per OCIRepository or HelmRepository."""
    rows = tuple(_fetched(each) for each in sorted(sources, key=_by_name))
    return Table(("NAMESPACE", "NAME", "READY", "REVISION", "URL", "MESSAGE"), rows)


def drift_table(application: Application, *, now_seconds: float) -> Table:
    """One line per drifted field of an Application, standing and lately corrected."""
    rows = tuple(
        (
            item.object,
            item.field or "(deleted)",
            item.declared,
            item.live,
            item.actor,
            age(item.since, now_seconds=now_seconds),
            age(item.corrected, now_seconds=now_seconds) if item.corrected else "no",
        )
        for item in application.status.drift
    )
    return Table(("OBJECT", "FIELD", "DECLARED", "LIVE", "ACTOR", "SINCE", "CORRECTED"), rows)


def errors_table(application: Application) -> Table:
    """One line per error in the status of an Application."""
    rows = tuple(
        (
            error.object or "",
            f"{error.file}:{error.line}" if error.line else error.file or "",
            f"{error.author} in {error.commit[:12]}" if error.author and error.commit else "",
            error.message,
        )
        for error in application.status.errors
    )
    return Table(("OBJECT", "PLACE", "LAST CHANGED BY", "MESSAGE"), rows)


def history_table(application: Application, *, now_seconds: float) -> Table:
    """One line per revision that an Application went through, newest first."""
    rows = tuple(
        (short_revision(item.revision), item.result, age(item.time, now_seconds=now_seconds), item.message or "")
        for item in application.status.history
    )
    return Table(("REVISION", "RESULT", "AGE", "MESSAGE"), rows)


def short_revision(revision: str) -> str:
    """`main@sha1:0123456789…` with seven digits of the SHA; what is no revision stays as it is."""
    head, colon, sha = revision.rpartition(":")
    return f"{head}:{sha[:7]}" if colon else revision


def age(time: str, *, now_seconds: float) -> str:
    """Time passed since a timestamp, as kubectl writes it: 45s, 3m10s, 5h2m, 3d4h."""
    seconds = max(0, int(now_seconds - parse_time(time)))
    if seconds < 120:
        return f"{seconds}s"
    if seconds < 600:
        return f"{seconds // 60}m{seconds % 60}s" if seconds % 60 else f"{seconds // 60}m"
    if seconds < 3 * 3600:
        return f"{seconds // 60}m"
    if seconds < 48 * 3600:
        hours, minutes = seconds // 3600, seconds // 60 % 60
        return f"{hours}h{minutes}m" if minutes and hours < 8 else f"{hours}h"
    days, hours = seconds // 86400, seconds // 3600 % 24
    return f"{days}d{hours}h" if hours and days < 8 else f"{days}d"


def _by_name(resource: Resource) -> tuple[str, str]:
    return resource.metadata.namespace, resource.metadata.name


def _application(application: Application) -> tuple[str, ...]:
    status, metadata = application.status, application.metadata
    count = status.inventory
    return (
        metadata.namespace,
        metadata.name,
        _suspended(_status(status, READY), suspend=application.spec.suspend),
        _status(status, HEALTHY),
        f"{count.ready}/{count.objects}" if count else "",
        str(count.drifted) if count and _status(status, DRIFTED) != "Unknown" else "",
        short_revision(status.last_applied_revision or ""),
        _message(status),
    )


def _repository(repository: GitRepository, now_seconds: float) -> tuple[str, ...]:
    status, metadata = repository.status, repository.metadata
    return (
        metadata.namespace,
        metadata.name,
        _suspended(_status(status, READY), suspend=repository.spec.suspend),
        short_revision(status.artifact.revision) if status.artifact else "",
        age(status.commit.time, now_seconds=now_seconds) if status.commit else "",
        status.commit.subject if status.commit else "",
        _message(status),
    )


def _fetched(source: OciRepository | HelmRepository) -> tuple[str, ...]:
    status, metadata = source.status, source.metadata
    return (
        metadata.namespace,
        metadata.name,
        _suspended(_status(status, READY), suspend=source.spec.suspend),
        short_revision(status.artifact.revision) if status.artifact else "",
        source.spec.url,
        _message(status),
    )


def _status(status: Status, kind: str) -> str:
    condition = status.condition(kind)
    return condition.status if condition else "Unknown"


def _message(status: Status) -> str:
    condition = status.condition(READY)
    return condition.message if condition else ""


def _suspended(ready: str, *, suspend: bool) -> str:
    return f"{ready} (suspended)" if suspend else ready
