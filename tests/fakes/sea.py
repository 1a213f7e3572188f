"""A cluster under an observer's eyes, without the rest of the loop: for tests of what is seen and what is asked."""

from typing import Any

from tests.fakes.clock import HandClock
from tests.fakes.cluster import Cluster, FakeObjects, kind_of
from tests.fakes.controller import SIGNING_KEY, namespace

from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import ObjectRef
from trimtab.drift.baseline import baseline
from trimtab.plan.ownership import Owner, mark
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import Seen

OWNER = Owner("trimtab-system", "shop", "uid-of-shop")


def marked(body: dict[str, Any], owner: Owner = OWNER) -> Manifest:
    """A manifest with an Application's marks."""
    manifest = Manifest(ObjectRef.of(body), body["apiVersion"], body, Origin("a.yaml"))
    return mark(manifest, instance="test", bucket=1, owner=owner)


class Sea:
    """A cluster, an observer, and who was woken."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.cluster = Cluster()
        self.cluster.other_applies(namespace("shop"))
        self.objects = FakeObjects(self.cluster)
        self.observer = Observer(key=SIGNING_KEY, clock=self.clock)
        self.woken: list[ObjectRef | None] = []
        self.observer.wake = self._wake

    def _wake(self, owner: str, ref: ObjectRef | None) -> None:
        if owner == str(OWNER):
            self.woken.append(ref)

    def applied(self, body: dict[str, Any]) -> dict[str, Any]:
        """Apply marked, without telling anybody; the answer."""
        return self.cluster.apply(marked(body).body)

    def at_rest(self, body: dict[str, Any]) -> ObjectRef:
        """Applied, seen, expected as it is; nobody woken yet."""
        answer = self.applied(body)
        self.expect(answer)
        self.see(answer)
        self.woken.clear()
        return ObjectRef.of(answer)

    def expect(self, answer: dict[str, Any]) -> None:
        """Expect the object as the server answered it."""
        state = (answer["metadata"]["uid"], baseline(answer, key=SIGNING_KEY) or "")
        self.observer.expect(ObjectRef.of(answer), str(OWNER), state)

    def see(self, body: dict[str, Any]) -> None:
        """A watch event."""
        self.observer.sink(Seen(kind_of(body), body))

    def edit(self, ref: ObjectRef, path: str = "data.mode", value: Any = "slow") -> dict[str, Any]:
        """Somebody edits the object; its new body, which nobody has seen yet."""
        self.cluster.edit(ref, path, value)
        return self.body(ref)

    def body(self, ref: ObjectRef) -> dict[str, Any]:
        """A marked object as it stands."""
        return next(body for body in self.cluster.marked() if ObjectRef.of(body) == ref)
