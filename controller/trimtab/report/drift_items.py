"""Drift as status shows it: bounded, masked, what stands before what was corrected.

The loop hands in news; the Application's status builder puts the items into `status.drift`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trimtab.api.application import DriftItem
from trimtab.api.timestamps import format_time, parse_time
from trimtab.core.fields.path import MISSING, Missing
from trimtab.core.refs import ObjectRef
from trimtab.core.visible import visible
from trimtab.drift.presentable import Excerpt
from trimtab.report.masking import is_secret, shown

DRIFT_ITEMS: Final = 20
"""Items shown in status; all drift is counted in metrics and told by `trimtab drift`."""


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
    ordered = sorted(records, key=lambda record: (not record.standing, *_newest(record)))
    return tuple(drift_item(record) for record in ordered[:DRIFT_ITEMS])


def drift_sentence(records: Sequence[DriftRecord]) -> str:
    """What the condition Drifted says of standing drift: how many objects, and the newest change."""
    standing = [record for record in records if record.standing]
    objects = {record.ref for record in standing}
    first = min(standing, key=_newest)
    count = f"{len(objects)} object{'s' if len(objects) > 1 else ''} drifted"
    return f"{count}: {first.ref} {first.field or 'was deleted'} (by {first.actor})"


def _newest(record: DriftRecord) -> tuple[float, ObjectRef, str]:
    return -record.since_seconds, record.ref, record.field


def drift_item(record: DriftRecord) -> DriftItem:
    """The record as status and the CLI show it."""
    return DriftItem(
        object=str(record.ref),
        field=record.field,
        declared=_text(record, record.declared),
        live=_text(record, record.live),
        actor=record.actor,
        since=format_time(record.since_seconds),
        corrected=None if record.corrected_seconds is None else format_time(record.corrected_seconds),
    )


def seed(items: Iterable[DriftItem]) -> list[DriftRecord]:
    """The records that a status showed, for a loop that starts anew. Items that cannot be read are left out.

    A status knows whole seconds; within one the order is kept as it was, else a restart would write it anew.
    """
    records = []
    for index, item in enumerate(items, start=1):
        try:
            ref = ObjectRef.parse(item.object)
            since = parse_time(item.since) + 1 / (index + 1)
            corrected = parse_time(item.corrected) if item.corrected else None
        except ValueError:
            continue
        declared, live = (AsShown(text) if text else MISSING for text in (item.declared, item.live))
        records.append(DriftRecord(ref, item.field, declared, live, item.actor, since, corrected))
    return records


def same_as_shown(record: DriftRecord, other: DriftRecord) -> bool:
    """Whether two records look the same to users."""
    return drift_item(record) == drift_item(other)


class AsShown(str):
    """A value of which only the text is known that was shown of it."""

    __slots__ = ()


def _text(record: DriftRecord, value: Any) -> str:
    if isinstance(value, AsShown):
        return str(value)
    if isinstance(value, Excerpt) and not is_secret(record.ref):
        return visible(str(value))
    return "" if isinstance(value, Missing) else shown(record.ref, record.field, value)
