"""What an apply run asks for. The loop interprets these; each is answered by exactly one event.

At most one command per object, and one `Record`, is out at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.core.inventory import Entry
from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Record:
    """Write these inventory entries (None removes). Answer: `Recorded` | `RecordFailed`."""

    entries: Mapping[ObjectRef, Entry | None]


@dataclass(frozen=True, slots=True)
class Apply:
    """Server-side apply `body`. Answer: `Answered` | `Refused`.

    With `uid` the server refuses (409) to touch or create any other object than that one.
    """

    manifest: Manifest
    uid: str = ""

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        return self.manifest.ref

    @property
    def body(self) -> dict[str, Any]:
        """What to send: the manifest, with the UID as precondition. The server never counts the UID as owned."""
        if not self.uid:
            return self.manifest.body
        return {**self.manifest.body, "metadata": {**self.manifest.body["metadata"], "uid": self.uid}}


@dataclass(frozen=True, slots=True)
class Get:
    """Read the object. Answer: `Got` (an `Unknown` for every failure but 404) | `Refused`."""

    ref: ObjectRef
    version: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Replace `metadata.managedFields` by a merge patch under this resourceVersion. Answer: `Claimed` | `Refused`."""

    ref: ObjectRef
    version: str
    managed_fields: Sequence[dict[str, Any]]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete in the background under these preconditions.

    Answer: `Removed` (accepted, may still be there) | `Gone` (404, or the server says that it is gone) | `Refused`.
    """

    ref: ObjectRef
    version: str
    uid: str
    resource_version: str | None = None


@dataclass(frozen=True, slots=True)
class Unmark:
    """Take our label and owner annotation off the object with this UID (`plan.ownership.unmark_patch`).

    Answer: `Unmarked` | `Gone` (404) | `Refused`.
    """

    ref: ObjectRef
    version: str
    uid: str


@dataclass(frozen=True, slots=True)
class AwaitGone:
    """Wait until the object with this UID is absent or replaced. Answer: `Gone` | `TimedOut` | `Refused`."""

    ref: ObjectRef
    version: str
    uid: str


@dataclass(frozen=True, slots=True)
class AwaitEstablished:
    """Wait until the CustomResourceDefinition's kinds are served. Answer: `Established` | `TimedOut` | `Refused`."""

    ref: ObjectRef


ObjectCommand = Apply | Get | Claim | Remove | Unmark | AwaitGone | AwaitEstablished
"""Commands on one object: all have `ref`."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Wait, then carry out `command` and answer for it.

    After `ApplyRun.cancel()` the loop answers those still waiting with `TimedOut` (a Record: `RecordFailed`) at once.
    """

    command: ObjectCommand | Record
    delay_seconds: float


Command = Record | ObjectCommand | Retry
