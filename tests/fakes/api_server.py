"""A simulated API server, small but honest where Trimtab relies on it.

It knows server-side apply over maps (ownership, force, removal), UID and resourceVersion preconditions, namespaces
that cascade, CustomResourceDefinitions that take a while to be served, finalizers, immutable fields (`spec.fixed`) and
fields that exclude each other (`spec.mode.old` beside `spec.mode.new`).
"""

import copy
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from trimtab.core.api_error import ApiError, Cause
from trimtab.core.fields.fieldset import Paths
from trimtab.core.fields.managed import APPLY, UPDATE, ManagedEntry, entries_of, written
from trimtab.core.fields.path import MISSING, Path, fields, resolve
from trimtab.core.names import FIELD_MANAGER
from trimtab.core.observed import Absent, Live, Observed
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.plan.references import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, is_kind

Body = dict[str, Any]

_IDENTITY = {
    fields("apiVersion"),
    fields("kind"),
    *(fields("metadata", name) for name in ("name", "namespace", "uid", "resourceVersion", "managedFields")),
    *(fields("metadata", name) for name in ("finalizers", "deletionTimestamp")),
}


class ApiServer:
    """All objects of one cluster.

    `touched`: UIDs that our applies and claims wrote to. `deleted`: objects with their UIDs whose deletion began.
    """

    def __init__(self) -> None:
        self.objects: dict[ObjectRef, Body] = {}
        self.touched: set[str] = set()
        self.deleted: list[tuple[ObjectRef, str]] = []
        self.writes = 0
        self._established: set[str] = set()
        self._numbers = itertools.count(1)

    # --- what Trimtab does

    def apply(self, body: Body) -> Body:
        """Server-side apply with force as our field manager."""
        return self._apply(body, manager=FIELD_MANAGER)

    def get(self, ref: ObjectRef) -> Observed:
        """The live object."""
        return Live(copy.deepcopy(self.objects[ref])) if ref in self.objects else Absent()

    def claim(self, ref: ObjectRef, managed_fields: Any, resource_version: str) -> Body:
        """Replace managedFields."""
        live = self._existing(ref)
        if live["metadata"]["resourceVersion"] != resource_version:
            raise ApiError(409, "Conflict", "the object has been modified")
        live["metadata"]["managedFields"] = copy.deepcopy(list(managed_fields))
        self.touched.add(live["metadata"]["uid"])
        return self._written(live)

    def unmark(self, ref: ObjectRef, patch: Body) -> Body:
        """A merge patch of labels and annotations under a UID."""
        live = self._existing(ref)
        if live["metadata"]["uid"] != patch["metadata"]["uid"]:
            raise _wrong_uid()
        for part in ("labels", "annotations"):
            kept = {k: v for k, v in live["metadata"].get(part, {}).items() if k not in patch["metadata"][part]}
            live["metadata"][part] = kept
        _own(live, removed=frozenset(path for path in _leaves(patch) if path[-2].text in ("labels", "annotations")))
        return self._written(live)

    def delete(self, ref: ObjectRef, *, uid: str, resource_version: str | None = None) -> bool:
        """Delete under preconditions; whether the object is gone."""
        if ref not in self.objects:
            return True
        metadata = self.objects[ref]["metadata"]
        if metadata["uid"] != uid or resource_version not in (None, metadata["resourceVersion"]):
            raise ApiError(409, "Conflict", "the UID in the precondition does not match")
        self._delete(ref)
        return ref not in self.objects

    def served(self, ref: ObjectRef) -> bool:
        """Whether the object's kind is served at present."""
        if "example" not in ref.group:
            return True
        return any(
            ref.group == body["spec"]["group"] and body["spec"]["names"]["kind"] == ref.kind
            for definition, body in self.objects.items()
            if definition.name in self._established
        )

    # --- what others do

    def other_applies(self, body: Body, *, manager: str = "kubectl") -> Body:
        """Somebody else applies with force."""
        return self._apply(body, manager=manager)

    def other_deletes(self, ref: ObjectRef) -> None:
        """Somebody else deletes."""
        if ref in self.objects:
            self._delete(ref)

    def hold(self, ref: ObjectRef) -> None:
        """Put a finalizer on an object."""
        self.objects[ref]["metadata"]["finalizers"] = ["example.org/held"]
        self._written(self.objects[ref])

    def settle(self) -> None:
        """Time passes: finalizers are done, definitions served, terminating things vanish."""
        for ref in list(self.objects):
            metadata = self.objects[ref]["metadata"]
            if is_kind(ref, CUSTOM_RESOURCE_DEFINITION) and "deletionTimestamp" not in metadata:
                self._established.add(ref.name)
            if "deletionTimestamp" in metadata:
                metadata.pop("finalizers", None)
        for _ in range(3):
            for ref in [ref for ref, body in self.objects.items() if "deletionTimestamp" in body["metadata"]]:
                if ref in self.objects:
                    self._vanish(ref)

    # --- inside

    def _apply(self, body: Body, *, manager: str) -> Body:
        ref = ObjectRef.of(body)
        uid = body["metadata"].get("uid")
        self._admit(ref)
        live = self.objects.get(ref)
        if live is None:
            if uid:
                raise ApiError(409, "Conflict", f"uid mismatch: the provided object specified uid {uid}")
            if ref.namespace and "deletionTimestamp" in self._namespace(ref)["metadata"]:
                raise ApiError(403, "Forbidden", "unable to create: the namespace is being terminated")
            live = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {"name": ref.name}}
            if ref.namespace:
                live["metadata"]["namespace"] = ref.namespace
            live["metadata"]["uid"] = f"uid-{next(self._numbers)}"
        elif uid and uid != live["metadata"]["uid"]:
            raise _wrong_uid()
        changed = _merged(live, body, manager)
        _validate(self.objects.get(ref), changed)
        if manager == FIELD_MANAGER:
            self.touched.add(changed["metadata"]["uid"])
        if changed != self.objects.get(ref):
            self.objects[ref] = changed
            self._written(changed)
        return copy.deepcopy(self.objects[ref])

    def _admit(self, ref: ObjectRef) -> None:
        if not self.served(ref):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        if ref.namespace and _namespace_of(ref) not in self.objects:
            raise ApiError(404, "NotFound", f'namespaces "{ref.namespace}" not found')

    def _existing(self, ref: ObjectRef) -> Body:
        if ref not in self.objects:
            raise ApiError(404, "NotFound", f"{ref} not found")
        return self.objects[ref]

    def _namespace(self, ref: ObjectRef) -> Body:
        return self.objects[_namespace_of(ref)]

    def _written(self, body: Body) -> Body:
        self.writes += 1
        body["metadata"]["resourceVersion"] = str(next(self._numbers))
        return copy.deepcopy(body)

    def _delete(self, ref: ObjectRef) -> None:
        body = self.objects[ref]
        if "deletionTimestamp" not in body["metadata"]:
            self.deleted.append((ref, body["metadata"]["uid"]))
            body["metadata"]["deletionTimestamp"] = "2000-01-01T00:00:00Z"
            self._written(body)
        for inner in list(self._contents(ref)):
            if inner in self.objects:
                self._delete(inner)
        self._vanish(ref)

    def _vanish(self, ref: ObjectRef) -> None:
        if not self.objects[ref]["metadata"].get("finalizers") and not any(True for _ in self._contents(ref)):
            del self.objects[ref]
            self._established.discard(ref.name)

    def _contents(self, ref: ObjectRef) -> Iterator[ObjectRef]:
        if is_kind(ref, NAMESPACE):
            yield from (other for other in self.objects if other.namespace == ref.name)
        elif is_kind(ref, CUSTOM_RESOURCE_DEFINITION):
            spec = self.objects[ref]["spec"]
            kind = (spec["group"], spec["names"]["kind"])
            yield from (other for other in self.objects if (other.group, other.kind) == kind)


def _namespace_of(ref: ObjectRef) -> ObjectRef:
    return ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", ref.namespace)


def _leaves(body: Mapping[str, Any], at: Path = ()) -> Iterator[Path]:
    for name, value in body.items():
        path = (*at, *fields(name))
        if path in _IDENTITY:
            continue
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path)
        else:
            yield path


def _merged(live: Body, body: Body, manager: str) -> Body:
    changed = copy.deepcopy(live)
    declared: Paths = frozenset(_leaves(body))
    entries = entries_of(live)
    before = next((e.paths for e in entries if e.manager == manager and e.operation == APPLY), frozenset())
    others = [entry for entry in entries if not (entry.manager == manager and entry.operation == APPLY)]
    taken = frozenset(path for path in declared if resolve(live, path) != resolve(body, path))
    others = [entry.without(taken) for entry in others]
    for path in before - declared:
        if not any(path in entry.paths for entry in others):
            _unset(changed, path)
    for path in declared:
        _set(changed, path, resolve(body, path))
    ours = ManagedEntry(manager, APPLY, body["apiVersion"], "", "", declared)
    changed["metadata"]["managedFields"] = written([*others, ours])
    return changed


def _own(live: Body, *, removed: Paths) -> None:
    entries = [entry.without(removed) for entry in entries_of(live)]
    live["metadata"]["managedFields"] = written(entries)


def foreign_edit(live: Body, path: Path, value: Any, *, manager: str = "kubectl-edit") -> None:
    """Change one field of an object in place, as an Update by somebody else does."""
    _set(live, path, value)
    entries = [entry.without(frozenset({path})) for entry in entries_of(live)]
    entries.append(ManagedEntry(manager, UPDATE, live["apiVersion"], "", "", frozenset({path})))
    live["metadata"]["managedFields"] = written(entries)


def _set(body: Body, path: Path, value: Any) -> None:
    for step in path[:-1]:
        body = body.setdefault(step.text, {})
    body[path[-1].text] = copy.deepcopy(value)


def _unset(body: Body, path: Path) -> None:
    for step in path[:-1]:
        body = body.get(step.text, {})
    body.pop(path[-1].text, None)


def _validate(before: Body | None, after: Body) -> None:
    mode = after.get("spec", {}).get("mode", {})
    if "old" in mode and "new" in mode:
        cause = Cause("spec.mode.old", "Forbidden: may not be specified beside new", "FieldValueForbidden")
        raise ApiError(422, "Invalid", f"{cause.field}: {cause.message}", causes=(cause,))
    fixed = fields("spec", "fixed")
    if before is not None and resolve(before, fixed) is not MISSING and resolve(before, fixed) != resolve(after, fixed):
        cause = Cause("spec.fixed", "Invalid value: field is immutable", "FieldValueInvalid")
        raise ApiError(422, "Invalid", "spec.fixed: Invalid value: field is immutable", causes=(cause,))


def _wrong_uid() -> ApiError:
    cause = Cause("metadata.uid", "Invalid value: field is immutable", "FieldValueInvalid")
    return ApiError(422, "Invalid", "metadata.uid: Invalid value: field is immutable", causes=(cause,))
