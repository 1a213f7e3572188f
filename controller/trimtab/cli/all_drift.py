"""All standing drift of an Application, where its status shows the newest only.

An Application flows in; what it declares is compared with the cluster here, as the controller does, and items flow out.
"""

import time

from trimtab.api.application import Application, DriftItem
from trimtab.api.timestamps import parse_time
from trimtab.cli.declared import declared
from trimtab.cli.rehearsal import Action, Rehearsed, rehearse
from trimtab.cli.session import Session
from trimtab.drift.compare import FieldDrift, differences, gone
from trimtab.report.drift_items import DriftRecord, drift_item


async def all_drift(session: Session, application: Application) -> tuple[DriftItem, ...]:
    """Standing drift found anew, with the times that status knows, then what status holds of corrected drift.

    Drift of which status knows no time is dated by when this was asked. Raises SourceError, RenderError, ApiError.
    """
    status = application.status
    state = await declared(session, application, revision=status.last_applied_revision or "", applied=True)
    known = {(item.object, item.field): item for item in status.drift if item.corrected is None}
    now_seconds = time.time()
    found = []
    for each in (await rehearse(session, state)).objects:
        for field in _fields(each):
            item = known.get((str(each.ref), field.path_text))
            since = parse_time(item.since) if item else now_seconds
            record = DriftRecord(each.ref, field.path_text, field.declared, field.live, field.actor, since)
            found.append(drift_item(record))
    return (*found, *(item for item in status.drift if item.corrected is not None))


def _fields(each: Rehearsed) -> tuple[FieldDrift, ...]:
    if each.action is Action.CREATE and each.after is not None:
        return (gone(each.after),)
    if each.action is Action.CHANGE and each.before is not None and each.after is not None:
        return differences(each.after, each.before)
    return ()
