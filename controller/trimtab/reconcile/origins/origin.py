"""What a kind of source must be able to do; `source_reconciler` calls it.

A source flows in, an `Artifact` flows out; what a turn came to flows in, the next status flows out.
"""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from trimtab.api.git_repository import GitRepository
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.model import Status
from trimtab.api.oci_repository import OciRepository
from trimtab.core.errors import Problem
from trimtab.core.refs import ResourceType
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.queue import Key

Source = TypeVar("Source", bound=GitRepository | OciRepository | HelmRepository)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNews:
    """What a turn came to: an artifact, a problem, a rest, or (none of them) a first fetch under way.

    `unverified` tells of the problem: that what was found is not signed as asked.
    """

    artifact: Artifact | None = None
    problem: Problem | None = None
    suspended: bool = False
    unverified: bool = False


class Origin(Protocol[Source]):
    """One kind of source."""

    @property
    def resource(self) -> ResourceType:
        """The kind."""
        ...

    @property
    def model(self) -> type[Source]:
        """The model of its objects."""
        ...

    @property
    def status(self) -> type[Status]:
        """The model of their status."""
        ...

    async def fetch(self, key: Key, source: Source, known: Artifact | None) -> Artifact:
        """The newest artifact; `known` itself where nothing has changed. Raises SourceError."""
        ...

    async def recall(self, key: Key, source: Source) -> Artifact | None:
        """The artifact that the status names, without asking its server; None where it is not at hand."""
        ...

    def report(self, source: Source, last: Status, news: SourceNews, *, now_seconds: float) -> Status:
        """The status after `last`; the time counts from the epoch. Equal news give an equal status."""
        ...

    def reread(self, key: Key) -> None:
        """Have its Secrets read again the next time: the spec changed, somebody poked, or a fetch failed."""
        ...

    def forget(self, key: Key) -> None:
        """The source is gone."""
        ...
