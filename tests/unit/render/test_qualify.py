"""Namespaces, scopes and the pointers that follow."""

import pytest
import yaml

from trimtab.core.errors import RenderError
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import ObjectRef
from trimtab.render.qualify import qualify, unserved

SCOPES = {"ConfigMap": True, "Service": True, "ServiceAccount": True, "RoleBinding": True, "Namespace": False}
CLUSTER = ("ClusterRoleBinding", "CustomResourceDefinition", "APIService", "ValidatingWebhookConfiguration")
SCOPES |= dict.fromkeys(CLUSTER, False)


def manifests(text):
    bodies = list(yaml.safe_load_all(text))
    return [Manifest(ObjectRef.of(b), b["apiVersion"], b, Origin("a.yaml", n)) for n, b in enumerate(bodies, 1)]


def run(text, target="", default="apps"):
    return qualify(
        manifests(text),
        target_namespace=target,
        default_namespace=default,
        namespaced=lambda group, version, kind: SCOPES.get(kind),
    )


def spaces(found):
    return [(m.ref.namespace, m.body["metadata"].get("namespace")) for m in found.manifests]


THREE = (
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n"
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: other}}\n---\n"
    "{apiVersion: v1, kind: Namespace, metadata: {name: c, namespace: wrong}}\n"
)


@pytest.mark.parametrize(("target", "expected"), [("", ("apps", "other")), ("shop", ("shop", "shop"))])
def test_target_overrides_default_fills_and_cluster_scope_has_none(target, expected):
    assert spaces(run(THREE, target)) == [(expected[0], expected[0]), (expected[1], expected[1]), ("", None)]


def test_what_is_right_already_is_left_alone_and_the_rest_is_copied():
    given = manifests(THREE)
    found = qualify(given, target_namespace="other", default_namespace="x", namespaced=lambda *_: True)
    assert found.manifests[1] is given[1]
    assert given[0].body["metadata"] == {"name": "a"}
    assert found.manifests[0].origin == given[0].origin


def test_an_empty_namespace_counts_as_none():
    assert spaces(run("{apiVersion: v1, kind: Namespace, metadata: {name: a, namespace: ''}}")) == [("", None)]
    assert spaces(run("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: }}")) == [("apps", "apps")]


def test_crds_of_the_set_tell_scopes_and_the_rest_stays_unresolved():
    text = (
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x},"
        " spec: {group: x.io, scope: Namespaced, names: {kind: X}}}\n---\n"
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: w},"
        " spec: {group: x.io, scope: Cluster, names: {kind: W}}}\n---\n"
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: v}, spec: odd}\n---\n"
        "{apiVersion: x.io/v1, kind: X, metadata: {name: a}}\n---\n"
        "{apiVersion: x.io/v1, kind: W, metadata: {name: a}}\n---\n"
        "{apiVersion: y.io/v1, kind: Y, metadata: {name: a}}\n"
    )
    found = run(text)
    assert [m.ref.namespace for m in found.manifests] == ["", "", "", "apps", ""]
    assert [str(m.ref) for m in found.unresolved] == ["Y.y.io/a"]
    told = unserved(found.unresolved)[0]
    assert str(told).startswith("a.yaml:6: Y.y.io/a: the cluster does not serve y.io/v1 Y (install its Custom")
    assert told.retry


def test_objects_that_become_one_are_refused_with_both_places():
    with pytest.raises(RenderError) as caught:
        run(THREE.replace("name: b", "name: a"), "shop")
    assert "a.yaml:2: ConfigMap/shop/a: declared twice, first at a.yaml:1" in str(caught.value)
    with pytest.raises(RenderError):
        run(THREE.replace("name: b", "name: a"), default="other")


POINTERS = """\
{apiVersion: v1, kind: ServiceAccount, metadata: {name: bot}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: old, namespace: past}}
---
{apiVersion: v1, kind: Service, metadata: {name: hook, namespace: past}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
subjects:
- {kind: ServiceAccount, name: bot, namespace: default}
- {kind: ServiceAccount, name: old, namespace: past}
- {kind: ServiceAccount, name: old, namespace: elsewhere}
- {kind: ServiceAccount, name: stranger, namespace: past}
- {kind: User, name: bot}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: w}
webhooks: [{clientConfig: {service: {name: hook, namespace: past}}}, {clientConfig: {url: x}}, odd]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: s}
spec: {service: {name: hook, namespace: past}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: c}
spec: {conversion: {strategy: None}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: r}, subjects: odd}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: t}, subjects: [odd]}
"""


def test_pointers_at_moved_objects_follow_them():
    bodies = {m.ref.name: m.body for m in run(POINTERS, "shop").manifests}
    assert [one.get("namespace") for one in bodies["b"]["subjects"]] == ["shop", "shop", "elsewhere", "past", None]
    assert bodies["w"]["webhooks"][0]["clientConfig"]["service"]["namespace"] == "shop"
    assert bodies["w"]["webhooks"][1:] == [{"clientConfig": {"url": "x"}}, "odd"]
    assert bodies["s"]["spec"]["service"] == {"name": "hook", "namespace": "shop"}
    assert (bodies["r"]["subjects"], bodies["t"]["subjects"]) == ("odd", ["odd"])


def test_without_a_target_nothing_follows():
    given = {m.ref.name: m.body for m in manifests(POINTERS)}
    found = {m.ref.name: m.body for m in run(POINTERS).manifests}
    assert all(found[name] == given[name] for name in "bwsc")


def test_a_pointer_that_is_right_already_stays():
    text = POINTERS.replace("past", "shop")
    given = {m.ref.name: m.body for m in manifests(text)}
    assert {m.ref.name: m.body for m in run(text, "shop").manifests}["s"] == given["s"]
