"""What the loop remembers of an Application between two turns.

All of it can be lost: status, inventory and cluster rebuild it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.api.application import Application
from trimtab.core.errors import Problem
from trimtab.core.inventory import Entry
from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef, ResourceType
from trimtab.core.revision import Revision
from trimtab.plan.ownership import Owner, bucket_of
from trimtab.reconcile.drift_ledger import DriftLedger
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.queue import Backoff, Key
from trimtab.render.hooks import Hook
from trimtab.report.drift_items import DriftRecord, seed


@dataclass(frozen=True, slots=True)
class Desired:
    """What a revision declares for one Application, marked and normalised.

    `key` identifies everything that went into it; equal keys need no second look. `problems` are objects that could not
    be used (unserved kinds): the rest is applied, and nothing is pruned.
    """

    key: str
    revision: Revision
    manifests: Mapping[ObjectRef, Manifest]
    digests: Mapping[ObjectRef, str]
    kinds: frozenset[ResourceType]
    problems: tuple[Problem, ...] = ()
    hooks: tuple[Hook, ...] = ()
    """What a chart wants at moments of its own; nothing runs them yet."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """The revisions of the remote bases, by name."""
    follow_seconds: float | None = None
    """After how long to look whether one of them has moved; None where none can."""


@dataclass(frozen=True, slots=True)
class Fought:
    """A field that `actor` sets back each time, and how long the next correction waits."""

    ref: ObjectRef
    field: str
    actor: str
    wait_seconds: float


@dataclass(slots=True)
class AppState:
    """One Application's memory."""

    owner: Owner
    bucket: int
    inventory: dict[ObjectRef, Entry] | None = None
    desired: Desired | None = None
    previous: Desired | None = None
    """The last desired state that was applied in full: what a drop of fields is judged against."""
    settled_key: str = ""
    """`Desired.key` and spec of the last full run that ended without problems; empty: a full run is due."""
    tried_key: str = ""
    """The same of the last full run, however it ended."""
    retry_at: float = 0.0
    """When a failed full run may be tried again (monotonic seconds)."""
    backoff: Backoff = field(default_factory=Backoff)
    suspects: set[ObjectRef] = field(default_factory=set)
    problems: tuple[Problem, ...] = ()
    drift: DriftLedger = field(default_factory=DriftLedger)
    news: list[DriftRecord] = field(default_factory=list)
    """Drift of this turn that nobody was told of yet."""
    fought: list[Fought] = field(default_factory=list)
    """Fights of this turn that nobody was told of yet."""
    attempted: str = ""
    announced: bool = True
    """Whether the status has told anything of the revision last attempted."""
    applied: str = ""
    measured: str = ""
    """The revision whose commit→healthy time has been counted."""
    arrived_at: float | None = None
    """When the revision arrived that this turn is the first one for, in seconds since the epoch."""
    waiting_since: float | None = None
    """When the wait for health of the newest revision began (monotonic seconds)."""
    kinds: frozenset[ResourceType] = frozenset()
    trees: Mapping[str, SourceTree] = field(default_factory=dict)
    """All that was rendered last, by the beginning of the names that its files have in errors."""

    @classmethod
    def begin(cls, key: Key, application: Application) -> "AppState":
        """A fresh memory, seeded with what the status says."""
        uid = application.metadata.uid
        owner = Owner(key.namespace, key.name, uid)
        status = application.status
        return cls(
            owner,
            bucket_of(uid),
            drift=DriftLedger.seeded(seed(status.drift)),
            attempted=status.last_attempted_revision or "",
            applied=status.last_applied_revision or "",
            measured=status.last_applied_revision or "",
        )
