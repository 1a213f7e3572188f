"""Drift as status shows it: bounded, masked, what stands before what was corrected.

The loop hands in news; the Application's status builder puts the items into `status.drift`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trimtab.api.application import DriftItem
from trimtab.api.timestamps import format_time
from trimtab.core.refs import ObjectRef
from trimtab.report.masking import shown

DRIFT_ITEMS: Final = 20
"""Items shown in status; all drift is counted in metrics and told by `trimtab drift`."""


class Missing:
    """The type of `MISSING`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()
"""Stands where a field, or a whole object, has no value."""


@dataclass(frozen=True, slots=True)
class DriftRecord:
    """A declared field found changed; times in seconds since the epoch.

    `field` is empty where the object itself is gone. `declared` and `live` are JSON-like or `MISSING`.
    """

    ref: ObjectRef
    field: str
    declared: Any
    live: Any
    actor: str
    since_seconds: float
    corrected_seconds: float | None = None

    @property
    def standing(self) -> bool:
        """Whether it has not been put right."""
        return self.corrected_seconds is None


def drift_items(records: Sequence[DriftRecord]) -> tuple[DriftItem, ...]:
    """The first `DRIFT_ITEMS` of them: standing before corrected, newest first."""
    ordered = sorted(records, key=lambda record: (not record.standing, -record.since_seconds, record.ref, record.field))
    return tuple(_item(record) for record in ordered[:DRIFT_ITEMS])


def drift_sentence(records: Sequence[DriftRecord]) -> str:
    """What the condition Drifted says of standing drift: how many objects, and the newest change."""
    standing = [record for record in records if record.standing]
    objects = {record.ref for record in standing}
    first = min(standing, key=lambda record: (-record.since_seconds, record.ref, record.field))
    count = f"{len(objects)} object{'s' if len(objects) > 1 else ''} drifted"
    return f"{count}: {first.ref} {first.field or 'was deleted'} (by {first.actor})"


def _item(record: DriftRecord) -> DriftItem:
    return DriftItem(
        object=str(record.ref),
        field=record.field,
        declared=_text(record, record.declared),
        live=_text(record, record.live),
        actor=record.actor,
        since=format_time(record.since_seconds),
        corrected=None if record.corrected_seconds is None else format_time(record.corrected_seconds),
    )


def _text(record: DriftRecord, value: Any) -> str:
    return "" if isinstance(value, Missing) else shown(record.ref, record.field, value)
