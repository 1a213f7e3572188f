"""Documents become manifests: lists opened, identities checked, duplicates told with both places."""

import pytest

from trimtab.core.manifest import Origin
from trimtab.core.refs import ObjectRef
from trimtab.render.documents import read_file
from trimtab.render.objects import duplicates, to_manifests


def objects(text, **options):
    documents = read_file(text.encode(), "x").documents
    return to_manifests(documents, locate=lambda body, line: Origin("app.yaml", line), **options)


def refs(text):
    found = objects(text)
    assert found.problems == ()
    return [(str(manifest.ref), manifest.api_version, manifest.origin.line) for manifest in found.manifests]


def problems(text):
    found = objects(text)
    assert found.manifests == ()
    return [str(problem) for problem in found.problems]


def test_a_manifest_knows_its_object_and_its_line():
    text = "# head\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
    manifest = objects(text, cluster="far").manifests[0]
    assert manifest.ref == ObjectRef("far", "apps", "Deployment", "shop", "web")
    assert (manifest.api_version, manifest.origin) == ("apps/v1", Origin("app.yaml", 2))
    assert manifest.body["metadata"] == {"name": "web", "namespace": "shop"}


def test_lists_of_any_kind_are_opened_and_their_items_inherit():
    text = (
        "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- kind: ConfigMap\n  metadata: {name: b}\n"
        "---\napiVersion: v1\nkind: List\nitems:\n"
        "- apiVersion: rbac.authorization.k8s.io/v1\n  kind: RoleList\n  items: [{metadata: {name: c}}]\n"
    )
    assert refs(text) == [
        ("ConfigMap/a", "v1", 4),
        ("ConfigMap/b", "v1", 5),
        ("Role.rbac.authorization.k8s.io/c", "rbac.authorization.k8s.io/v1", 11),
    ]


def test_inheriting_does_not_change_the_list():
    documents = read_file(b"apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: a}}]", "x").documents
    to_manifests(documents, locate=lambda body, line: Origin("x"))
    assert documents[0].value["items"] == [{"metadata": {"name": "a"}}]


@pytest.mark.parametrize(
    "text", ["apiVersion: v1\nkind: List", "apiVersion: v1\nkind: PodList\nitems:", "kind: List\nitems: []"]
)
def test_an_empty_list_holds_nothing(text):
    assert refs(text) == []


def test_a_kind_that_only_sounds_like_a_list_is_an_object():
    text = "apiVersion: net.example/v1\nkind: AllowList\nmetadata: {name: office}\nspec: {cidrs: []}\n"
    assert refs(text) == [("AllowList.net.example/office", "net.example/v1", 1)]


def test_items_without_a_line_take_that_of_the_list():
    text = (
        "apiVersion: v1\nkind: List\nitems: &items\n- &one {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- *one\n"
    )
    assert [manifest.origin.line for manifest in objects(text).manifests] == [1, 1]


def test_names_that_the_api_server_takes_are_taken():
    text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:Node.x@y'}\n"
    assert len(refs(text)) == 1


HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- 1", ["app.yaml:1: not a Kubernetes object (every document"]),
        ("words", ["app.yaml:1: not a Kubernetes object"]),
        ("a: 1", ["apiVersion is missing", "kind is missing", "metadata is missing"]),
        ("apiVersion: v1\nmetadata: {name: a}", ["app.yaml:1: kind is missing (add kind, or move the file"]),
        ("apiVersion: 1\nkind: [x]\nmetadata: {name: a}", ["apiVersion of type int is not valid", "kind of type list"]),
        ("apiVersion: a/b/c\nkind: A-b\nmetadata: {name: a}", ["apiVersion 'a/b/c' is", "kind 'A-b' is not valid"]),
        ("apiVersion: v1\nkind: A\nmetadata: x", ["metadata is missing (add metadata.name)"]),
        (HEAD + "{}", ["metadata.name is missing"]),
        (HEAD + "{generateName: a-}", ["generateName makes another object at each apply"]),
        (HEAD + "{name: 5}", ["metadata.name of type int is not valid (correct the name; quote it"]),
        (HEAD + "{name: ''}", ["metadata.name '' is not valid"]),
        (HEAD + "{name: ..}", ["metadata.name '..' is not valid"]),
        (HEAD + "{name: a/b}", ["metadata.name 'a/b' is not valid"]),
        (HEAD + "{name: a|b}", ["metadata.name 'a|b' is not valid"]),
        (HEAD + '{name: "a\\nb"}', ["metadata.name 'a\\nb' is not valid"]),
        (HEAD + f"{{name: {'x' * 254}}}", [f"metadata.name '{'x' * 80}…' is not valid"]),
        (HEAD + "{name: a, namespace: A_b}", ["metadata.namespace 'A_b' is not valid"]),
        (HEAD + "{name: a, labels: {on: on, b: 1}}", ["labels['true'] is not a string", "labels['b'] is"]),
        (HEAD + "{name: a, annotations: [x]}", ["metadata.annotations is not a mapping"]),
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []",
            ["a kustomization under another name (name the file kustomization.yaml)"],
        ),
        ("apiVersion: v1\nkind: List\nitems: [x, {kind: A}]", ["not a Kubernetes object", "metadata is missing"]),
    ],
)
def test_what_is_no_object_is_told_with_its_place(text, expected):
    found = problems(text)
    assert len(found) == len(expected), found
    for one, wanted in zip(found, expected, strict=True):
        assert one.startswith("app.yaml:")
        assert wanted in one


def test_absent_labels_annotations_and_namespaces_are_fine():
    assert len(refs(HEAD + "{name: a, namespace: , labels: , annotations: {a: , b: x}}")) == 1


def test_all_problems_come_at_once_beside_what_is_well():
    found = objects(HEAD + "{name: a}\n---\na: 1\n---\n" + HEAD + "{name: b}\n---\nb: 1\n")
    assert [manifest.ref.name for manifest in found.manifests] == ["a", "b"]
    assert sorted({problem.origin.line for problem in found.problems}) == [5, 11]


def test_duplicates_name_both_places_whatever_the_version():
    text = "".join(
        f"apiVersion: {v}\nkind: HPA\nmetadata: {{name: a}}\n---\n" for v in ("x.io/v1", "x.io/v2", "y.io/v1")
    )
    found = duplicates(objects(text).manifests)
    assert [str(problem) for problem in found] == [
        "app.yaml:5: HPA.x.io/a: declared twice, first at app.yaml:1 (keep one of the two)"
    ]
