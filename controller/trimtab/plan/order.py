"""What waits for what, and what starts first where nothing waits.

`plan.build` and `plan.teardown` call it; apply's schedule obeys. An edge means: only after the other has succeeded.

Applies: objects wait for their Namespace, custom resources for their definition, whatever makes the API server call
back (webhooks, APIServices) for the Service and the workloads behind it. Admission policies and their bindings start
when all else has ended, in whatever way: they judge requests, and a revision is meant for the cluster without them as
well as with them. Nothing else waits: the cluster itself is level-triggered.

Deletions start after all applies have ended, and run backwards: what calls back goes before its backends, custom
resources (whose definitions go too) before everything that may have to finish them, contents before their Namespace or
definition. What pods consume by name goes only once the namespace's workloads of this revision were applied.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef
from trimtab.plan.changes import Adopt, Change, Create, Delete, Held, Recreate, Unchanged, Update
from trimtab.plan.references import (
    ADMITS,
    CALLS_BACK,
    CUSTOM_RESOURCE_DEFINITION,
    NAMESPACE,
    SERVICE,
    WORKLOADS,
    backs,
    defined_kind,
    is_kind,
    lives_in,
    namespace_ref,
    services_called,
)

_RANKS: Final = (
    frozenset({NAMESPACE, CUSTOM_RESOURCE_DEFINITION}),
    frozenset(
        {
            ("", "ResourceQuota"),
            ("", "LimitRange"),
            ("networking.k8s.io", "NetworkPolicy"),
            ("scheduling.k8s.io", "PriorityClass"),
            ("storage.k8s.io", "StorageClass"),
        }
    ),
    frozenset({("", "ServiceAccount"), ("", "Secret"), ("", "ConfigMap"), ("", "PersistentVolumeClaim")}),
    frozenset(
        {("rbac.authorization.k8s.io", kind) for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")}
    ),
    frozenset({SERVICE}),
)
_CONSUMED: Final = _RANKS[2] | _RANKS[3]
_CALLING: Final = len(_RANKS) + 1
_LAST: Final = len(_RANKS) + 2


def rank(ref: ObjectRef) -> int:
    """Position of the object's kind among those that may start at once; lower starts first, deletions backwards."""
    kind = (ref.group, ref.kind)
    if kind in ADMITS:
        return _LAST
    if kind in CALLS_BACK:
        return _CALLING
    return next((position for position, kinds in enumerate(_RANKS) if kind in kinds), len(_RANKS))


def last(ref: ObjectRef) -> bool:
    """Whether the object is applied only when the applies of all others have ended."""
    return (ref.group, ref.kind) in ADMITS


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes by rank: applies forwards, then the rest backwards; otherwise as they came."""
    listed = list(changes)
    applies = [change for change in listed if _declares(change)]
    prunes = [change for change in listed if not _declares(change)]
    applies.sort(key=lambda change: rank(change.ref))
    prunes.sort(key=lambda change: -rank(change.ref))
    return (*applies, *prunes)


def edges(
    changes: Iterable[Change], *, plurals: Mapping[tuple[str, str], str]
) -> dict[ObjectRef, frozenset[ObjectRef]]:
    """Each object with those it waits for; objects that wait for nothing are left out."""
    listed = list(changes)
    applied = [change.manifest for change in listed if isinstance(change, Create | Update | Adopt | Recreate)]
    standing = [change.manifest for change in listed if isinstance(change, Unchanged | Held)]
    deleted = [change.ref for change in listed if isinstance(change, Delete)]
    found = _apply_edges(applied, standing)
    found |= _delete_edges(deleted, [manifest.ref for manifest in applied], plurals)
    return {ref: waits for ref, waits in found.items() if waits}


def _declares(change: Change) -> bool:
    return isinstance(change, Create | Update | Adopt | Recreate | Unchanged | Held)


def _apply_edges(applied: list[Manifest], standing: list[Manifest]) -> dict[ObjectRef, frozenset[ObjectRef]]:
    present = {manifest.ref for manifest in applied}
    # A definition that needs no apply may still be without its served kinds: after a crash, say.
    definitions = {
        (manifest.ref.cluster, *defined_kind(manifest)): manifest.ref
        for manifest in (*applied, *standing)
        if is_kind(manifest.ref, CUSTOM_RESOURCE_DEFINITION)
    }
    backends = _Backends(applied)
    found = {}
    for manifest in applied:
        ref = manifest.ref
        waits = {namespace_ref(ref.cluster, ref.namespace)} & present
        definition = definitions.get((ref.cluster, ref.group, ref.kind))
        if definition is not None:
            waits.add(definition)
        if (ref.group, ref.kind) in CALLS_BACK:
            waits |= backends.of(manifest)
        found[ref] = frozenset(waits)
    return found


class _Backends:
    """The Services and workloads among what is applied, found by what calls them."""

    def __init__(self, applied: list[Manifest]) -> None:
        self._services = {manifest.ref: manifest for manifest in applied if is_kind(manifest.ref, SERVICE)}
        self._workloads = [manifest for manifest in applied if (manifest.ref.group, manifest.ref.kind) in WORKLOADS]

    def of(self, caller: Manifest) -> set[ObjectRef]:
        """What must have been applied before `caller` sends requests its way."""
        found = set()
        for ref in services_called(caller):
            service = self._services.get(ref)
            if service is not None:
                found.add(ref)
                found |= {workload.ref for workload in self._workloads if backs(workload, service)}
        return found


def _delete_edges(
    deleted: list[ObjectRef], applied: list[ObjectRef], plurals: Mapping[tuple[str, str], str]
) -> dict[ObjectRef, frozenset[ObjectRef]]:
    definitions = [ref for ref in deleted if is_kind(ref, CUSTOM_RESOURCE_DEFINITION)]
    customs = frozenset(ref for ref in deleted if any(lives_in(ref, definition, plurals) for definition in definitions))
    callers = frozenset(ref for ref in deleted if (ref.group, ref.kind) in CALLS_BACK)
    # Sets are shared between objects, so that a thousand deletions behind a thousand others stay cheap.
    rest = callers | customs
    consumers = _workloads_by_namespace(applied)
    shared: dict[tuple[frozenset[ObjectRef], str], frozenset[ObjectRef]] = {}
    found = {}
    for ref in deleted:
        if ref in callers:
            continue
        if is_kind(ref, NAMESPACE) or is_kind(ref, CUSTOM_RESOURCE_DEFINITION):
            found[ref] = callers | frozenset(other for other in deleted if lives_in(other, ref, plurals))
        elif ref in customs:
            found[ref] = callers
        else:
            found[ref] = rest
        if (ref.group, ref.kind) in _CONSUMED:
            waits = found[ref]
            if (waits, ref.namespace) not in shared:
                shared[waits, ref.namespace] = waits | consumers.get(ref.namespace, frozenset())
            found[ref] = shared[waits, ref.namespace]
    return found


def _workloads_by_namespace(applied: Iterable[ObjectRef]) -> dict[str, frozenset[ObjectRef]]:
    found: dict[str, set[ObjectRef]] = {}
    for ref in applied:
        if (ref.group, ref.kind) in WORKLOADS:
            found.setdefault(ref.namespace, set()).add(ref)
    return {namespace: frozenset(refs) for namespace, refs in found.items()}
