"""What the loop needs of the world, by name: adapters implement these, tests fake them by hand.

Every method that talks to a server raises `ApiError` or `SourceError`, never a library's own exception.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trimtab.core.inventory import Entry
from trimtab.core.manifest import Manifest
from trimtab.core.observed import Observed
from trimtab.core.refs import ObjectRef, ResourceType
from trimtab.core.revision import Revision


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


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """Who made a commit and when; times in seconds since the epoch."""

    sha: str
    author: str
    author_time: float
    committer: str
    committer_time: float
    subject: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetch's result. `changed` False: the remote stood where it stood. `tree_sha` is the commit's root tree."""

    revision: Revision
    commit: CommitInfo
    changed: bool
    tree_sha: str = ""


@dataclass(frozen=True, slots=True)
class GitCredentials:
    """Basic auth and CA for one repository; `repr` shows nothing of it."""

    username: str = ""
    password: str = ""
    ca_pem: str = ""

    def __repr__(self) -> str:
        return "GitCredentials(…)"


class Git(Protocol):
    """Mirrors of repositories: one per URL and credential, fetched once for all that use it."""

    async def fetch(
        self, url: str, ref: Mapping[str, str], credentials: GitCredentials | None, *, timeout_seconds: float
    ) -> Fetched:
        """Resolve `ref` (branch | tag | commit, as in GitRepository.spec.ref), fetch its tip. Raises SourceError."""
        ...

    async def tree(self, url: str, credentials: GitCredentials | None, sha: str, path: str) -> str:
        """The tree SHA of a folder at a commit. Raises SourceError where the path is absent or no folder."""
        ...

    async def materialise(
        self, url: str, credentials: GitCredentials | None, sha: str, paths: Sequence[str], target: Path
    ) -> None:
        """Write the files under `paths` (all: `[""]`) at a commit below `target`; no symlink may leave it."""
        ...


@dataclass(frozen=True, slots=True)
class Rendered:
    """Manifests as declared, and the folders that were read for them (outermost ones, relative to the root)."""

    manifests: tuple[Manifest, ...]
    folders: tuple[str, ...]


class Renderer(Protocol):
    """From a commit and a path to manifests."""

    @property
    def tools(self) -> Mapping[str, str]:
        """The programs that render, name → version: part of the render key."""
        ...

    async def render(self, git: Git, url: str, credentials: GitCredentials | None, sha: str, path: str) -> Rendered:
        """Render a folder at a commit. Raises RenderError with all problems at once, SourceError for a missing path."""
        ...


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
