"""The simulated API server behind the ports `Objects` and `Watches`, with a log of requests and faults to order."""

import asyncio
import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes.api_server import ApiServer, Body, foreign_edit

from trimtab.core.api_error import ApiError
from trimtab.core.fields.path import fields
from trimtab.core.names import BUCKET_LABEL
from trimtab.core.observed import Live, Observed, Unknown
from trimtab.core.refs import ObjectRef, ResourceType, split_api_version
from trimtab.reconcile.ports import Seen, Synced, Vanished, WatchEvent, WatchSink, WatchTrouble

CLUSTER_SCOPED = {"Namespace", "CustomResourceDefinition", "ClusterRole"}
BUILT_IN = {
    ("", "v1"): ("ConfigMap", "Secret", "Service", "Namespace"),
    ("apps", "v1"): ("Deployment",),
    ("apiextensions.k8s.io", "v1"): ("CustomResourceDefinition",),
    ("rbac.authorization.k8s.io", "v1"): ("ClusterRole",),
}


def kind_of(body: Body) -> ResourceType:
    """The resource type of an object, with the plural that everybody expects."""
    group, version = split_api_version(body["apiVersion"])
    return _type(group, version, body["kind"])


def _type(group: str, version: str, kind: str) -> ResourceType:
    return ResourceType(group, version, kind, f"{kind.lower()}s", namespaced=kind not in CLUSTER_SCOPED)


class Cluster(ApiServer):
    """An API server that tells listeners of every change, before the writer has its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Callable[[Body, bool], None]] = []

    def edit(self, ref: ObjectRef, path: str, value: Any, *, manager: str = "kubectl-edit") -> None:
        """Somebody changes one field, written with dots."""
        foreign_edit(self.objects[ref], fields(*path.split(".")), value, manager=manager)
        self._written(self.objects[ref])

    def strip_label(self, ref: ObjectRef) -> None:
        """Somebody takes our label off: the watches lose sight of the object."""
        foreign_edit(self.objects[ref], fields("metadata", "labels", "dropped"), "yes")
        labels = self.objects[ref]["metadata"]["labels"]
        labels.pop("dropped")
        labels.pop(BUCKET_LABEL)
        self._written(self.objects[ref])

    def set_status(self, ref: ObjectRef, status: Body) -> None:
        """A controller writes an object's status."""
        self.objects[ref]["status"] = status
        self._written(self.objects[ref])

    def marked(self) -> Iterator[Body]:
        """All objects with our label."""
        for body in self.objects.values():
            if BUCKET_LABEL in body["metadata"].get("labels", {}):
                yield copy.deepcopy(body)

    def _written(self, body: Body) -> Body:
        answer = super()._written(body)
        self._tell(body, there=True)
        return answer

    def _vanish(self, ref: ObjectRef) -> None:
        body = self.objects[ref]
        super()._vanish(ref)
        if ref not in self.objects:
            body["metadata"]["resourceVersion"] = str(next(self._numbers))
            self._tell(body, there=False)

    def _tell(self, body: Body, *, there: bool) -> None:
        for listener in self.listeners:
            listener(copy.deepcopy(body), there)


class FakeObjects:
    """The port `Objects`.

    `requests` holds (verb, object) of all that was asked. `refusals` are asked before each request with the same two,
    and may raise for it; `delay_seconds` is how long each takes.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.requests: list[tuple[str, str]] = []
        self.refusals: list[Callable[[str, str], ApiError | None]] = []
        self.delay_seconds = 0.0

    def refuse(self, verb: str, name: str, error: ApiError, *, times: int = 1_000_000) -> None:
        """Answer the next `times` requests of that verb on that object with an error."""
        left = times

        def refusal(asked: str, about: str) -> ApiError | None:
            nonlocal left
            if (asked, about) != (verb, name) or left == 0:
                return None
            left -= 1
            return error

        self.refusals.append(refusal)

    def take_requests(self) -> list[tuple[str, str]]:
        """What was asked since the last look."""
        taken, self.requests = self.requests, []
        return taken

    async def _admit(self, verb: str, about: object) -> None:
        self.requests.append((verb, str(about)))
        await asyncio.sleep(self.delay_seconds)
        for refusal in self.refusals:
            error = refusal(verb, str(about))
            if error is not None:
                raise error

    async def served(self, group: str, version: str, kind: str) -> ResourceType | None:
        """Built-in types, and those of established definitions."""
        if kind in BUILT_IN.get((group, version), ()):
            return _type(group, version, kind)
        custom = "example" in group and self.cluster.served(ObjectRef("local", group, kind, "", ""))
        return _type(group, version, kind) if custom else None

    async def apply(self, body: Body, *, dry_run: bool = False) -> Body:
        """Server-side apply."""
        ref = ObjectRef.of(body)
        await self._admit("dry-run" if dry_run else "apply", ref)
        if not dry_run:
            return self.cluster.apply(body)
        rehearsal = ApiServer()
        rehearsal.objects = copy.deepcopy(self.cluster.objects)
        return rehearsal.apply(body)

    async def get(self, ref: ObjectRef, version: str) -> Observed:
        """The live object."""
        try:
            await self._admit("get", ref)
        except ApiError as error:
            return Unknown(str(error))
        return self.cluster.get(ref)

    async def list_metadata(self, kind: ResourceType, namespace: str, *, selector: str = "") -> list[Body]:
        """Metadata of all objects of a type."""
        return [
            {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": body["metadata"]}
            for body in await self.list(kind, namespace, selector=selector)
        ]

    async def list(self, kind: ResourceType, namespace: str, *, selector: str = "") -> list[Body]:
        """All objects of a type."""
        await self._admit("list", f"{kind.kind} in {namespace}" if namespace else kind.kind)
        return [
            copy.deepcopy(body)
            for ref, body in self.cluster.objects.items()
            if (ref.group, ref.kind) == (kind.group, kind.kind) and namespace in ("", ref.namespace)
        ]

    async def delete(self, ref: ObjectRef, version: str, *, uid: str, resource_version: str | None = None) -> None:
        """Delete with preconditions."""
        await self._admit("delete", ref)
        self.cluster.delete(ref, uid=uid, resource_version=resource_version)

    async def merge(self, ref: ObjectRef, version: str, patch: Body, *, subresource: str = "") -> Body:
        """The two merge patches that the loop sends: a claim, and taking off our marks."""
        await self._admit("merge", ref)
        metadata = patch["metadata"]
        if "managedFields" in metadata:
            return self.cluster.claim(ref, metadata["managedFields"], metadata["resourceVersion"])
        return self.cluster.unmark(ref, patch)

    async def create(self, body: Body) -> Body:
        """POST."""
        ref = ObjectRef.of(body)
        await self._admit("create", ref)
        if ref in self.cluster.objects:
            raise ApiError(409, "AlreadyExists", f"{ref} already exists")
        return self.cluster.other_applies(body)


class FakeWatches:
    """The port `Watches`: events of labelled objects of the wanted types, unless their watch is cut.

    With a namespace given it shows all objects there instead, whatever their labels.
    """

    def __init__(self, cluster: Cluster, sink: WatchSink, *, namespace: str = "") -> None:
        self._namespace = namespace
        self.wanted: frozenset[ResourceType] = frozenset()
        self._cluster = cluster
        self._sink = sink
        self._cut: set[ResourceType] = set()
        self._shown: set[ObjectRef] = set()
        cluster.listeners.append(self._changed)

    def want(self, kinds: frozenset[ResourceType]) -> None:
        """Show what there is of new types, a moment later."""
        new, self.wanted = kinds - self.wanted, kinds
        for kind in sorted(new):
            asyncio.get_running_loop().call_soon(self._list, kind)

    def oldest_sign_of_life_seconds(self) -> float:
        """All are alive."""
        return 0.0

    def synced(self, kind: ResourceType) -> bool:
        """Whether the type is watched."""
        return kind in self.wanted and kind not in self._cut

    def cut(self, kind: ResourceType, reason: str = "connection refused") -> None:
        """Nothing of the type is seen from now on."""
        self._cut.add(kind)
        self._sink(WatchTrouble(kind, reason))

    def mend(self, kind: ResourceType) -> None:
        """The watch comes back, with a new list."""
        self._cut.discard(kind)
        self._list(kind)

    def close(self) -> None:
        """Tell nothing more."""
        self._cluster.listeners.remove(self._changed)

    def _list(self, kind: ResourceType) -> None:
        if kind not in self.wanted or kind in self._cut:
            return
        bodies = [
            copy.deepcopy(body)
            for body in self._cluster.objects.values()
            if self._selects(body) and kind_of(body) == kind
        ]
        for body in bodies:
            self._shown.add(ObjectRef.of(body))
            self._sink(Seen(kind, body))
        self._sink(Synced(kind, frozenset(ObjectRef.of(body) for body in bodies)))

    def _changed(self, body: Body, there: bool) -> None:
        kind = kind_of(body)
        if not self.synced(kind):
            return
        event = self._event(kind, body, there=there and self._selects(body))
        if event is not None:
            self._sink(event)

    def _selects(self, body: Body) -> bool:
        if self._namespace:
            return bool(body["metadata"].get("namespace") == self._namespace)
        return BUCKET_LABEL in body["metadata"].get("labels", {})

    def _event(self, kind: ResourceType, body: Body, *, there: bool) -> WatchEvent | None:
        ref = ObjectRef.of(body)
        if there:
            self._shown.add(ref)
            return Seen(kind, body)
        if ref in self._shown:
            self._shown.discard(ref)
            return Vanished(kind, body)
        return None


def live(cluster: ApiServer, ref: ObjectRef) -> Body:
    """The object as it stands. Raises AssertionError where it is absent."""
    observed = cluster.get(ref)
    assert isinstance(observed, Live), f"{ref} is absent"
    return observed.body
