"""Kubernetes Events as data: what is worth telling, told once, and never in a flood.

Happenings flow in with the time, writes flow out (a new Event, or a raised count on an old one); the loop carries them
out. Notes are made from values that were masked before, so no Secret's content gets here.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from trimtab.api.model import Resource
from trimtab.api.timestamps import format_micro_time
from trimtab.core.names import API_GROUP
from trimtab.core.refs import ResourceType
from trimtab.core.visible import visible
from trimtab.report.conditions import shorten

REPORTING_CONTROLLER: Final = f"{API_GROUP}/controller"
NOTE_BYTES: Final = 1000
"""Where a note is cut; the API server allows 1024 bytes."""
SERIES_SECONDS: Final = 60.0
"""The count of a repeated Event is written at most this often."""
FORGET_SECONDS: Final = 3600.0
"""After so long a silence the same happening is a new Event; the API server forgets Events after an hour too."""
KNOWN_EVENTS: Final = 1024
BURST: Final = 25
"""New Events about one object that may come at once; then one per `REFILL_SECONDS`."""
REFILL_SECONDS: Final = 30.0


class Reason(StrEnum):
    """What Events tell, one word each, as users filter by them."""

    FETCHED = "Fetched"
    FETCH_FAILED = "FetchFailed"
    RENDER_FAILED = "RenderFailed"
    APPLIED = "Applied"
    APPLY_FAILED = "ApplyFailed"
    SUPERSEDED = "Superseded"
    PRUNED = "Pruned"
    PRUNE_REFUSED = "PruneRefused"
    DRIFT_DETECTED = "DriftDetected"
    DRIFT_CORRECTED = "DriftCorrected"
    FIGHT = "Fight"
    HEALTH_CHANGED = "HealthChanged"
    SUSPENDED = "Suspended"
    RESUMED = "Resumed"
    DELETED = "Deleted"


class Level(StrEnum):
    """Kubernetes' two types of Events."""

    NORMAL = "Normal"
    WARNING = "Warning"


WARNINGS: Final = frozenset(
    {
        Reason.FETCH_FAILED,
        Reason.RENDER_FAILED,
        Reason.APPLY_FAILED,
        Reason.PRUNE_REFUSED,
        Reason.DRIFT_DETECTED,
        Reason.FIGHT,
    }
)


@dataclass(frozen=True, slots=True)
class Regarding:
    """The GitRepository or Application that an Event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @classmethod
    def of(cls, kind: ResourceType, resource: Resource) -> "Regarding":
        """The reference to one of our objects."""
        metadata = resource.metadata
        return cls(kind.api_version, kind.kind, metadata.namespace, metadata.name, metadata.uid)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something worth an Event. `action` is the verb for machines (`Apply`, `Fetch`, `Correct`, `Prune`, `Assess`)."""

    regarding: Regarding
    reason: Reason
    note: str
    action: str
    level: Level | None = None
    """None: a warning where the reason is one by nature."""


@dataclass(frozen=True, slots=True)
class CreateEvent:
    """Create this Event."""

    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CountEvent:
    """Merge this patch into the Event of that name; where it is gone, nothing is lost."""

    namespace: str
    name: str
    patch: dict[str, Any]


EventWrite = CreateEvent | CountEvent


@dataclass(slots=True)
class _Known:
    name: str
    count: int
    seen_seconds: float
    written_seconds: float


@dataclass(slots=True)
class _Allowance:
    left: float
    at_seconds: float


class EventLog:
    """Decides which happenings become writes: repeats raise a count, floods about one object are cut."""

    def __init__(self, *, instance: str) -> None:
        self._instance = shorten(instance, characters=128)
        self._known: OrderedDict[tuple[str, Reason, str], _Known] = OrderedDict()
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()

    def offer(self, happening: Happening, *, now_seconds: float) -> EventWrite | None:
        """The write that tells it, None if it was told lately or its object had too many. Times are since the epoch."""
        key = (happening.regarding.uid, happening.reason, happening.note)
        known = self._known.get(key)
        if known and now_seconds - known.seen_seconds <= FORGET_SECONDS:
            self._known.move_to_end(key)
            return self._repeat(happening.regarding.namespace, known, now_seconds)
        if not self._allowed(happening.regarding.uid, now_seconds):
            return None
        body = event_body(happening, instance=self._instance, now_seconds=now_seconds)
        self._known[key] = _Known(body["metadata"]["name"], 1, now_seconds, now_seconds)
        self._known.move_to_end(key)
        _trim(self._known)
        return CreateEvent(body)

    @staticmethod
    def _repeat(namespace: str, known: _Known, now_seconds: float) -> CountEvent | None:
        known.count += 1
        known.seen_seconds = now_seconds
        if now_seconds - known.written_seconds < SERIES_SECONDS:
            return None
        known.written_seconds = now_seconds
        series = {"count": known.count, "lastObservedTime": format_micro_time(now_seconds)}
        return CountEvent(namespace, known.name, {"series": series})

    def _allowed(self, uid: str, now_seconds: float) -> bool:
        allowance = self._allowances.setdefault(uid, _Allowance(BURST, now_seconds))
        self._allowances.move_to_end(uid)
        _trim(self._allowances)
        allowance.left = min(BURST, allowance.left + (now_seconds - allowance.at_seconds) / REFILL_SECONDS)
        allowance.at_seconds = now_seconds
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True


def event_body(happening: Happening, *, instance: str, now_seconds: float) -> dict[str, Any]:
    """An `events.k8s.io/v1` Event, named after its object and a digest of what it says and when."""
    about = happening.regarding
    level = happening.level or (Level.WARNING if happening.reason in WARNINGS else Level.NORMAL)
    time = format_micro_time(now_seconds)
    digest = sha256(f"{about.uid}\n{happening.reason}\n{time}\n{happening.note}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{about.name[:230].rstrip('.-')}.{digest}", "namespace": about.namespace},
        "eventTime": time,
        "reportingController": REPORTING_CONTROLLER,
        "reportingInstance": instance,
        "action": happening.action,
        "reason": happening.reason.value,
        "type": level.value,
        "note": _cut(happening.note),
        "regarding": {
            "apiVersion": about.api_version,
            "kind": about.kind,
            "namespace": about.namespace,
            "name": about.name,
            "uid": about.uid,
        },
    }


def _cut(note: str) -> str:
    note = visible(note)
    encoded = note.encode()
    return note if len(encoded) <= NOTE_BYTES else f"{encoded[:NOTE_BYTES].decode(errors='ignore')}…"


def _trim(table: OrderedDict[Any, Any]) -> None:
    while len(table) > KNOWN_EVENTS:
        table.popitem(last=False)
