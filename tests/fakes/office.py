"""Where our own objects live: the port `OwnKinds`, and the users who write them; the desk is shown every change."""

import copy
from collections.abc import Mapping
from typing import Any

from trimtab.core.names import FINALIZER, GROUP_VERSION, REQUESTED_AT_ANNOTATION
from trimtab.core.refs import ResourceType
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.queue import Key

NAMESPACE = "trimtab-system"
APP = Key("Application", NAMESPACE, "shop")
REPO = Key("GitRepository", NAMESPACE, "fleet")


def key_of(kind: str, name: str) -> Key:
    """The key of an object in the controller's namespace."""
    return Key(kind, NAMESPACE, name)


class Office:
    """Our objects by key. `desk` is told of changes once it is set."""

    def __init__(self) -> None:
        self.desk: Desk | None = None
        self.bodies: dict[Key, dict[str, Any]] = {}
        self.status_writes: list[Key] = []
        self.events: list[dict[str, Any]] = []
        self.counted: list[str] = []
        self._made = 0

    # --- users

    def create(self, key: Key, **spec: Any) -> dict[str, Any]:
        """A new object."""
        self._made += 1
        metadata = {"name": key.name, "namespace": key.namespace, "uid": f"{key.name}-uid-{self._made}"}
        self.bodies[key] = {
            "apiVersion": GROUP_VERSION,
            "kind": key.kind,
            "metadata": {**metadata, "generation": 1, "resourceVersion": "1"},
            "spec": spec,
        }
        self._show(key)
        return self.bodies[key]

    def change(self, key: Key, **spec: Any) -> None:
        """Another spec."""
        self.bodies[key]["spec"] |= spec
        self.bodies[key]["metadata"]["generation"] += 1
        self._show(key)

    def annotate(self, key: Key, name: str, value: str) -> None:
        """An annotation, which is no new generation."""
        self.bodies[key]["metadata"].setdefault("annotations", {})[name] = value
        self._show(key)

    def poke(self, key: Key, at: str) -> None:
        """Ask for a turn."""
        self.annotate(key, REQUESTED_AT_ANNOTATION, at)

    def delete(self, key: Key) -> None:
        """Ask for the deletion."""
        self.bodies[key]["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z"
        self._sweep(key)

    def force_away(self, key: Key) -> None:
        """Take the finalizers off by force and delete."""
        self.bodies[key]["metadata"]["finalizers"] = []
        self.delete(key)

    def show_all(self) -> None:
        """What a watch begins with."""
        for key in self.bodies:
            self._show(key)

    # --- the port

    async def set_status(self, kind: ResourceType, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Make `status` the whole status."""
        key = Key(kind.kind, namespace, name)
        self.status_writes.append(key)
        if key in self.bodies:
            self.bodies[key]["status"] = dict(status)
            self._show(key)

    async def set_finalizer(self, kind: ResourceType, namespace: str, name: str, *, present: bool) -> None:
        """Add or remove ours."""
        key = Key(kind.kind, namespace, name)
        if key not in self.bodies:
            return
        others = [each for each in self.bodies[key]["metadata"].get("finalizers", []) if each != FINALIZER]
        self.bodies[key]["metadata"]["finalizers"] = [*others, FINALIZER] if present else others
        self._sweep(key)

    async def post_event(self, body: Mapping[str, Any]) -> None:
        """Create an Event."""
        self.events.append(dict(body))

    async def count_event(self, namespace: str, name: str, patch: Mapping[str, Any]) -> None:
        """Count an Event."""
        self.counted.append(name)

    # --- what tests look at

    def status(self, key: Key) -> dict[str, Any]:
        """The status as users see it; empty before the first."""
        return self.bodies[key].get("status", {})

    def condition(self, key: Key, kind: str) -> dict[str, Any]:
        """A condition. Raises KeyError where it is not there."""
        return {each["type"]: each for each in self.status(key).get("conditions", [])}[kind]

    def said(self, key: Key, kind: str = "Ready") -> tuple[str, str]:
        """A condition's status and reason."""
        condition = self.condition(key, kind)
        return condition["status"], condition["reason"]

    def told(self, reason: str) -> list[str]:
        """The notes of all Events with that reason."""
        return [event["note"] for event in self.events if event["reason"] == reason]

    def _sweep(self, key: Key) -> None:
        metadata = self.bodies[key]["metadata"]
        if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
            self._show(key)
            return
        body = self.bodies.pop(key)
        if self.desk is not None:
            self.desk.gone(body)

    def _show(self, key: Key) -> None:
        if self.desk is not None:
            self.desk.shown(copy.deepcopy(self.bodies[key]))
