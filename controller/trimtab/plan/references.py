"""Which objects live in or under which others: namespaces, custom resource definitions, webhook backends.

`plan.order` makes edges of it, the guard `still_used` asks it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef

NAMESPACE: Final = ("", "Namespace")
CUSTOM_RESOURCE_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
SERVICE: Final = ("", "Service")
API_SERVICE: Final = ("apiregistration.k8s.io", "APIService")
WORKLOADS: Final = frozenset(
    {
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("apps", "ReplicaSet"),
        ("", "Pod"),
        ("", "ReplicationController"),
        ("batch", "Job"),
        ("batch", "CronJob"),
    }
)
_SCALABLE: Final = frozenset(
    {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet"), ("", "ReplicationController")}
)
CALLS_BACK: Final = frozenset(
    {
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        API_SERVICE,
    }
)
"""Kinds that make the API server call a Service: with no backend behind them they break requests of everybody."""
ADMITS: Final = frozenset(
    {
        ("admissionregistration.k8s.io", f"{verb}AdmissionPolicy{part}")
        for verb in ("Validating", "Mutating")
        for part in ("", "Binding")
    }
)
"""Kinds by which the API server itself refuses or changes requests: those of their own revision as well."""


def is_kind(ref: ObjectRef, kind: tuple[str, str]) -> bool:
    """Whether the object is of that (group, kind)."""
    return (ref.group, ref.kind) == kind


def holds_others(ref: ObjectRef) -> bool:
    """Whether deleting the object deletes others with it."""
    return is_kind(ref, NAMESPACE) or is_kind(ref, CUSTOM_RESOURCE_DEFINITION)


def scalable(ref: ObjectRef) -> bool:
    """Whether objects of the kind default to one replica where nobody declares the number.

    Built-in kinds are known; every kind that is not built in may do the same.
    """
    builtin = "." not in ref.group or ref.group.endswith(".k8s.io")
    return (ref.group, ref.kind) in _SCALABLE or not builtin


def namespace_ref(cluster: str, name: str) -> ObjectRef:
    """The Namespace object of that name."""
    return ObjectRef(cluster, NAMESPACE[0], NAMESPACE[1], "", name)


def defined_kind(manifest: Manifest) -> tuple[str, str]:
    """The (group, kind) that a CustomResourceDefinition declares; empty strings where it does not say."""
    spec = manifest.body.get("spec") or {}
    return spec.get("group") or "", (spec.get("names") or {}).get("kind") or ""


def lives_in(ref: ObjectRef, container: ObjectRef, plurals: Mapping[tuple[str, str], str]) -> bool:
    """Whether deleting the Namespace or CustomResourceDefinition `container` deletes `ref`.

    A definition is known by its name only (`plural.group`); where the plural of the object's kind is not known, every
    kind of the group counts.
    """
    if ref.cluster != container.cluster:
        return False
    if is_kind(container, NAMESPACE):
        return ref.namespace == container.name
    if is_kind(container, CUSTOM_RESOURCE_DEFINITION):
        plural, _, group = container.name.partition(".")
        return ref.group == group and plurals.get((ref.group, ref.kind), plural) == plural
    return False


def services_called(manifest: Manifest) -> Iterator[ObjectRef]:
    """The Services that a webhook configuration or APIService makes the API server call."""
    body = manifest.body
    if is_kind(manifest.ref, API_SERVICE):
        found = [(body.get("spec") or {}).get("service")]
    else:
        found = [(hook.get("clientConfig") or {}).get("service") for hook in body.get("webhooks") or ()]
    for service in found:
        if service:
            yield ObjectRef(manifest.ref.cluster, *SERVICE, service.get("namespace") or "", service.get("name") or "")


def backs(workload: Manifest, service: Manifest) -> bool:
    """Whether a workload's pods are behind a Service: same namespace, and its selector picks their labels."""
    selector = (service.body.get("spec") or {}).get("selector") or {}
    if not selector or workload.ref.namespace != service.ref.namespace:
        return False
    labels = _pod_labels(workload.body)
    return all(labels.get(key) == value for key, value in selector.items())


def _pod_labels(body: dict[str, Any]) -> dict[str, str]:
    template = (body.get("spec") or {}).get("template") or body
    return (template.get("metadata") or {}).get("labels") or {}
