"""Who of our own objects is still there after their watch had to begin anew.

A list shows what exists, never what went while nobody watched. The operator's handlers call the roll when a list
begins; the loop comes back a little later and asks the server about each object that did not answer.
"""

from dataclasses import dataclass

from trimtab.api import application, git_repository, helm_repository, oci_repository
from trimtab.core.observed import Absent, Unknown
from trimtab.core.outcome import Outcome
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.ports import Objects
from trimtab.reconcile.queue import Key, WorkQueue

ROLL_CALL = "RollCall"
"""The kind of its keys, whose name is the kind that is called."""
ANSWER_SECONDS = 5.0
"""How long a list may take; whoever was not shown by then is asked for, which costs a request and no more."""

_RESOURCES: dict[str, ResourceType] = {
    kind.kind: kind
    for kind in (application.RESOURCE, git_repository.RESOURCE, oci_repository.RESOURCE, helm_repository.RESOURCE)
}


@dataclass(slots=True, kw_only=True)
class RollCall:
    """Finds what vanished unseen."""

    desk: Desk
    queue: WorkQueue
    objects: Objects

    def begin(self, kind: str) -> None:
        """All objects of a kind are about to be listed anew."""
        if kind in _RESOURCES and self.desk.call_roll(kind):
            self.queue.add_after(Key(ROLL_CALL, "", kind), ANSWER_SECONDS)

    def limit_seconds(self, _key: Key) -> float:
        """The longest wait where the server does not answer."""
        return ANSWER_SECONDS

    async def before_turn(self, _key: Key) -> None:
        """Turns wait for nobody."""

    def server(self, _key: Key) -> str | None:
        """None but the API server."""
        return None

    async def reconcile(self, key: Key) -> Outcome:
        """Have those who are gone forgotten, as their DELETED event would have."""
        kind = _RESOURCES[key.name]
        for missing in self.desk.unanswered(key.name):
            ref = ObjectRef(LOCAL_CLUSTER, kind.group, kind.kind, missing.namespace, missing.name)
            match await self.objects.get(ref, kind.version):
                case Absent():
                    self.desk.lost(missing)
                case Unknown(reason=reason):
                    return Outcome.failed(f"whether {ref} is still there cannot be told: {reason}")
                case _:
                    self.desk.answers(missing)
        return Outcome.done()
