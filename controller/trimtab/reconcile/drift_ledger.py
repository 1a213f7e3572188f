"""Drift that stands and drift corrected lately, field by field, as status and metrics show it.

The drift desk adds and settles entries, report reads them.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from trimtab.core.refs import ObjectRef
from trimtab.drift.compare import FieldDrift
from trimtab.report.drift_items import DRIFT_ITEMS, DriftRecord, same_as_shown


@dataclass(slots=True)
class DriftLedger:
    """Drift of one Application. Times are seconds since the epoch."""

    _standing: dict[tuple[ObjectRef, str], DriftRecord] = field(default_factory=dict)
    _corrected: deque[DriftRecord] = field(default_factory=lambda: deque(maxlen=DRIFT_ITEMS))

    @classmethod
    def seeded(cls, records: Iterable[DriftRecord]) -> "DriftLedger":
        """A ledger that goes on from what the status showed before a restart."""
        ledger = cls()
        for record in records:
            if record.standing:
                ledger._standing[record.ref, record.field] = record
            else:
                ledger._corrected.append(record)
        return ledger

    def stands(self, ref: ObjectRef, drifts: Iterable[FieldDrift], *, now: float) -> list[DriftRecord]:
        """These, and no others, are the object's drifted fields now; returns those that are new or changed."""
        found = {(ref, drift.path_text): drift for drift in drifts}
        for key in [key for key in self._standing if key[0] == ref and key not in found]:
            del self._standing[key]
        fresh = []
        for key, drift in found.items():
            known = self._standing.get(key)
            record = _record(ref, drift, since=known.since_seconds if known else now)
            self._standing[key] = record
            if known is None or not same_as_shown(record, known):
                fresh.append(record)
        return fresh

    def corrected(self, ref: ObjectRef, drifts: Iterable[FieldDrift], *, now: float, seen: float) -> list[DriftRecord]:
        """These fields drifted at `seen` and have their declared value again; returns their records."""
        records = []
        for drift in drifts:
            known = self._standing.pop((ref, drift.path_text), None)
            since = known.since_seconds if known else seen
            records.append(replace(_record(ref, drift, since=since), corrected_seconds=now))
        self.settle(ref)
        self._corrected.extendleft(reversed(records))
        return records

    def settle(self, ref: ObjectRef) -> bool:
        """Nothing of the object drifts any more (put back by somebody, changed in Git, no longer ours)."""
        keys = [key for key in self._standing if key[0] == ref]
        for key in keys:
            del self._standing[key]
        return bool(keys)

    def retain(self, refs: Collection[ObjectRef]) -> None:
        """Forget standing drift of objects that are no longer declared."""
        for key in [key for key in self._standing if key[0] not in refs]:
            del self._standing[key]

    @property
    def records(self) -> list[DriftRecord]:
        """Standing drift, then corrections, each newest first."""
        standing = sorted(self._standing.values(), key=lambda record: -record.since_seconds)
        return [*standing, *self._corrected]

    def fields_of(self, ref: ObjectRef) -> set[str]:
        """The fields of an object whose drift stands."""
        return {path for known, path in self._standing if known == ref}

    @property
    def drifted(self) -> set[ObjectRef]:
        """The objects with standing drift."""
        return {ref for ref, _ in self._standing}


def _record(ref: ObjectRef, drift: FieldDrift, *, since: float) -> DriftRecord:
    return DriftRecord(ref, drift.path_text, drift.declared, drift.live, drift.actor, since)
