"""What the loop needs of the world, by name: adapters implement these, tests fake them by hand.

Every method that talks to a server raises `ApiError` or `SourceError`, never a library's own exception.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trimtab.core.inventory import Entry
from trimtab.core.observed import Observed
from trimtab.core.refs import ObjectRef, ResourceType
from trimtab.reconcile.ports.git import CommitInfo, Fetched, Git, GitCredentials, History, Span
from trimtab.reconcile.ports.rendering import (
    BaseAtHand,
    Bases,
    ClusterCapabilities,
    Folder,
    Rendered,
    Renderer,
    RenderJob,
    SourceTree,
)

__all__ = [
    "BaseAtHand",
    "Bases",
    "Clock",
    "ClusterCapabilities",
    "CommitInfo",
    "Fetched",
    "Folder",
    "Git",
    "GitCredentials",
    "History",
    "InventoryStore",
    "Metrics",
    "Objects",
    "OwnKinds",
    "RenderJob",
    "Rendered",
    "Renderer",
    "Seen",
    "SourceTree",
    "Span",
    "Synced",
    "Vanished",
    "WatchEvent",
    "WatchSink",
    "WatchTrouble",
    "Watches",
]


class Clock(Protocol):
    """Time, so that tests can turn it."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Objects(Protocol):
    """Objects of any type on one cluster."""

    async def served(self, group: str, version: str, kind: str) -> ResourceType | None:
        """The served type, None where the server has it not (after one fresh look at discovery)."""
        ...

    async def apply(self, body: dict[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Server-side apply as `trimtab` with force; the server's answer."""
        ...

    async def get(self, ref: ObjectRef, version: str) -> Observed:
        """The live object; 404 is Absent, every other failure Unknown with its reason."""
        ...

    async def list_metadata(self, kind: ResourceType, namespace: str, *, selector: str = "") -> list[dict[str, Any]]:
        """Metadata (with managedFields) of all objects of a type, paginated; each with apiVersion and kind set."""
        ...

    async def delete(self, ref: ObjectRef, version: str, *, uid: str, resource_version: str | None = None) -> None:
        """Delete with preconditions, in the background; 404 counts as done."""
        ...

    async def merge(
        self, ref: ObjectRef, version: str, patch: dict[str, Any], *, subresource: str = ""
    ) -> dict[str, Any]:
        """JSON merge patch; `metadata.resourceVersion` inside makes it conditional."""
        ...

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST; 409 with reason AlreadyExists where it is there."""
        ...

    async def list(self, kind: ResourceType, namespace: str, *, selector: str = "") -> list[dict[str, Any]]:
        """All objects of a type, paginated; each with apiVersion and kind set."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as a watch (or its initial list) showed it."""

    kind: ResourceType
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Vanished:
    """A watch said DELETED (or the label went): the truth needs a GET. `body` is the last state shown."""

    kind: ResourceType
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Synced:
    """The initial list of a type is complete: what was not shown is missing. `keys` holds what was shown."""

    kind: ResourceType
    keys: frozenset[ObjectRef]


@dataclass(frozen=True, slots=True)
class WatchTrouble:
    """The watch of a type does not work at present (forbidden, server gone, not served), and why."""

    kind: ResourceType
    reason: str


WatchEvent = Seen | Vanished | Synced | WatchTrouble


class Watches(Protocol):
    """One watch per resource type over the objects that carry our buckets."""

    def want(self, kinds: frozenset[ResourceType]) -> None:
        """Make these the watched types; starts and stops watches as needed."""
        ...

    def oldest_sign_of_life_seconds(self) -> float:
        """Age of the oldest last event, bookmark or (re)connection over all watches; 0 with none."""
        ...

    def synced(self, kind: ResourceType) -> bool:
        """Whether the initial list of the type has been shown and the watch is in order."""
        ...


WatchSink = Callable[[WatchEvent], None]


class OwnKinds(Protocol):
    """Writes to our own objects, and the Events about them."""

    async def set_status(self, kind: ResourceType, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Make `status` the object's whole status. An object that is gone is no error."""
        ...

    async def set_finalizer(self, kind: ResourceType, namespace: str, name: str, *, present: bool) -> None:
        """Add or remove `trimtab.dev/prune`. An object that is gone is no error."""
        ...

    async def post_event(self, body: Mapping[str, Any]) -> None:
        """Create an Event; failures are logged, never raised, for an Event is news and no state."""
        ...

    async def count_event(self, namespace: str, name: str, patch: Mapping[str, Any]) -> None:
        """Merge a patch into an Event; failures are logged, never raised."""
        ...


class Metrics(Protocol):
    """Numbers about the loop's work. Never raises, never waits."""

    def queue(self, *, depth: int, waited_seconds: float) -> None:
        """A worker took a key."""
        ...

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """A turn ended."""
        ...

    def fetched(self, result: str, seconds: float) -> None:
        """A fetch ended: changed, unchanged, or the reason of its failure."""
        ...

    def rendered(self, result: str, seconds: float) -> None:
        """A rendering ended: rendered, or the reason of its failure."""
        ...

    def planned(self, seconds: float) -> None:
        """What a new revision changes for an Application was planned so long after the revision arrived."""
        ...

    def applied(self, operation: str, result: str) -> None:
        """An object was created, updated, deleted …"""
        ...

    def drift_detected(self, namespace: str, application: str, fields: int) -> None:
        """Declared fields were found changed."""
        ...

    def drift_corrected(self, namespace: str, application: str, repair_seconds: Sequence[float]) -> None:
        """Declared fields were put back, each after so long."""
        ...

    def drifted(self, namespace: str, application: str, objects: int) -> None:
        """So many objects drift now."""
        ...

    def commit_applied(self, seconds: float) -> None:
        """A commit was fully applied so long after it was made."""
        ...

    def commit_healthy(self, seconds: float) -> None:
        """All objects of a commit became healthy so long after it was made."""
        ...

    def forget_application(self, namespace: str, application: str) -> None:
        """The Application is gone: so are its series."""
        ...


class InventoryStore(Protocol):
    """Inventory objects of Applications."""

    async def load(self, namespace: str, application: str, uid: str) -> dict[ObjectRef, Entry] | None:
        """All entries; an empty map where there never was a shard; None where one is missing or unreadable."""
        ...

    async def change(
        self, namespace: str, application: str, uid: str, entries: Mapping[ObjectRef, Entry | None]
    ) -> None:
        """Add or change entries (None removes): touches only the shards concerned. Returns when written."""
        ...

    async def neighbours(self, namespace: str, uid: str) -> frozenset[ObjectRef]:
        """All that the stored inventories of other Applications hold. Raises ApiError, also where one is unreadable."""
        ...

    async def release(self, namespace: str, application: str, uid: str) -> None:
        """Remove all shards, finalizers included."""
        ...
