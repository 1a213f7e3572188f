"""Manifests, live objects, entries and options for tests of plan and apply, as short as they can be said."""

from typing import Any

from trimtab.core.inventory import Applied, Intended
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.names import BUCKET_LABEL, FIELD_MANAGER, OWNER_ANNOTATION
from trimtab.core.observed import Live
from trimtab.core.refs import ObjectRef
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import Owner
from trimtab.plan.sight import Owned

OWNER = Owner("trimtab-system", "shop", "app-1")
OTHER = Owner("trimtab-system", "blog", "app-2")
INTENDED = Intended("v1")

API_VERSIONS = {
    "Deployment": "apps/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicy": "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding": "admissionregistration.k8s.io/v1",
    "APIService": "apiregistration.k8s.io/v1",
    "Widget": "example.org/v1",
    "Application": "trimtab.dev/v1alpha1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
}
CLUSTER_SCOPED = {
    "Namespace",
    "CustomResourceDefinition",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "APIService",
    "ClusterRole",
}


def ref_of(kind: str, name: str, namespace: str = "shop") -> ObjectRef:
    """`ref_of("ConfigMap", "a")` is in the namespace shop, cluster-scoped kinds in none."""
    group = API_VERSIONS.get(kind, "v1").rpartition("/")[0]
    return ObjectRef("local", group, kind, "" if kind in CLUSTER_SCOPED else namespace, name)


def manifest(kind: str, name: str, *, namespace: str = "shop", line: int = 1, **body: Any) -> Manifest:
    """A manifest; `annotations` and `labels` go into its metadata."""
    ref = ref_of(kind, name, namespace)
    metadata: dict[str, Any] = {"name": name}
    if ref.namespace:
        metadata["namespace"] = ref.namespace
    metadata |= {part: body.pop(part) for part in ("annotations", "labels") if part in body}
    version = API_VERSIONS.get(kind, "v1")
    return Manifest(
        ref, version, {"apiVersion": version, "kind": kind, "metadata": metadata, **body}, Origin("a.yaml", line)
    )


def live(
    kind: str,
    name: str,
    *,
    uid: str = "uid-1",
    version: str = "5",
    owner: Owner | None = None,
    applied: bool = False,
    namespace: str = "shop",
    **metadata: Any,
) -> Live:
    """A live object. `owner` marks it, `applied` gives it our Apply entry; other keywords go into its metadata."""
    ref = ref_of(kind, name, namespace)
    annotations = dict(metadata.pop("annotations", {}))
    labels = dict(metadata.pop("labels", {}))
    if owner is not None:
        annotations[OWNER_ANNOTATION] = str(owner)
        labels[BUCKET_LABEL] = "test-1"
    whole = {
        "name": name,
        "uid": uid,
        "resourceVersion": version,
        "annotations": annotations,
        "labels": labels,
        **metadata,
    }
    if ref.namespace:
        whole["namespace"] = ref.namespace
    if applied:
        fields_v1: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{OWNER_ANNOTATION}": {}}}}
        entry = {"manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"}
        whole["managedFields"] = [{**entry, "fieldsV1": fields_v1}]
    return Live({"apiVersion": API_VERSIONS.get(kind, "v1"), "kind": kind, "metadata": whole})


def applied(uid: str = "uid-1", *, baseline: str = "base", declared: str = "decl") -> Applied:
    """An entry."""
    return Applied("v1", uid, baseline, declared)


def owned(uid: str = "uid-1", *, baseline: str = "base", keep: bool = False) -> Owned:
    """A sight of an object of ours."""
    return Owned(uid, baseline, "5", keep)


def options(**overrides: Any) -> PlanOptions:
    """Options of an Application that prunes."""
    return PlanOptions(**{"owner": OWNER, "prune": True, **overrides})
