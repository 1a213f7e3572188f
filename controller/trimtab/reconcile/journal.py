"""Writes what users read of our objects: statuses when they changed, Events when there is news.

Reconcilers hand in the next status; nothing is sent where it equals the last one.
"""

from typing import Any

from pydantic import ValidationError

from trimtab.api.model import ObjectMeta, Status
from trimtab.core.errors import Problem
from trimtab.core.refs import ResourceType
from trimtab.reconcile.ports import Clock, OwnKinds
from trimtab.reconcile.queue import Key
from trimtab.report.conditions import failing, merge
from trimtab.report.events import CountEvent, CreateEvent, EventLog, Happening


class Journal:
    """One per process; keeps the last written status of each object."""

    def __init__(self, own: OwnKinds, clock: Clock, *, instance: str) -> None:
        self._own = own
        self._events = EventLog(instance=instance)
        self._clock = clock
        self._written: dict[Key, tuple[str, Status]] = {}

    def last(self, kind: ResourceType, metadata: ObjectMeta, shown: Status) -> Status:
        """The status as last written by us, or as shown where we have not written any yet."""
        uid, status = self._written.get(_key(kind, metadata), ("", shown))
        return status if uid == metadata.uid else shown

    async def write(self, kind: ResourceType, metadata: ObjectMeta, shown: Status, status: Status) -> bool:
        """Write the status unless it is there already; whether it was written. Raises ApiError."""
        if self.last(kind, metadata, shown) == status:
            return False
        await self._own.set_status(kind, metadata.namespace, metadata.name, status.to_body())
        self._written[_key(kind, metadata)] = (metadata.uid, status)
        return True

    async def invalid(self, kind: ResourceType, body: dict[str, Any], problem: Problem, model: type[Status]) -> None:
        """Say of an object that cannot be read that it is so; what its status (a `model`) told before stays told.

        Raises ApiError.
        """
        metadata = ObjectMeta.model_validate(body["metadata"])
        shown = _readable(body, model)
        last = self.last(kind, metadata, shown)
        said = failing(problem.reason, str(problem), retry=False)
        conditions = merge(last.conditions, said, generation=metadata.generation, now_seconds=self._clock.now())
        status = last.model_copy(update={"observed_generation": metadata.generation, "conditions": conditions})
        await self.write(kind, metadata, shown, status)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._written.pop(key, None)

    async def tell(self, happening: Happening) -> None:
        """Post an Event, unless it was told lately; its loss is no failure."""
        match self._events.offer(happening, now_seconds=self._clock.now()):
            case CreateEvent(body=body):
                await self._own.post_event(body)
            case CountEvent(namespace=namespace, name=name, patch=patch):
                await self._own.count_event(namespace, name, patch)
            case None:
                return


def _readable(body: dict[str, Any], model: type[Status]) -> Status:
    try:
        return model.model_validate(body.get("status") or {})
    except ValidationError:
        return model()


def _key(kind: ResourceType, metadata: ObjectMeta) -> Key:
    return Key(kind.kind, metadata.namespace, metadata.name)
