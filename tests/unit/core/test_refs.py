"""Identities of objects and resource types, and their three spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.api_error import ApiError
from trimtab.core.refs import ObjectRef, ResourceType, split_api_version

WEB = ObjectRef("local", "apps", "Deployment", "shop", "web")
SHOP = ObjectRef("local", "", "Namespace", "", "shop")
DEPLOYMENTS = ResourceType("apps", "v1", "Deployment", "deployments", namespaced=True)
NAMESPACES = ResourceType("", "v1", "Namespace", "namespaces", namespaced=False)

words = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
groups = st.lists(words, max_size=3).map(".".join)
kinds = st.from_regex(r"[A-Z][A-Za-z]{0,10}", fullmatch=True)
names = st.from_regex(r"[a-z0-9:.-]{1,20}", fullmatch=True)
refs = st.builds(ObjectRef, st.just("local"), groups, kinds, words | st.just(""), names)


@pytest.mark.parametrize(
    ("api_version", "parts"),
    [
        ("apps/v1", ("apps", "v1")),
        ("v1", ("", "v1")),
        ("gateway.networking.k8s.io/v1beta1", ("gateway.networking.k8s.io", "v1beta1")),
    ],
)
def test_api_versions_split_into_group_and_version(api_version, parts):
    assert split_api_version(api_version) == parts


def test_a_body_states_its_identity_and_the_version_is_no_part_of_it():
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}}
    assert ObjectRef.of(body) == WEB
    assert ObjectRef.of({**body, "apiVersion": "apps/v1beta1"}) == WEB
    assert ObjectRef.of(body, cluster="edge") == ObjectRef("edge", "apps", "Deployment", "shop", "web")


def test_a_cluster_scoped_body_has_no_namespace():
    assert (
        ObjectRef.of({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "namespace": None}}) == SHOP
    )


@pytest.mark.parametrize("missing", ["apiVersion", "kind", "metadata"])
def test_a_body_without_identity_is_none(missing):
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    del body[missing]
    with pytest.raises(KeyError):
        ObjectRef.of(body)


@given(refs)
def test_keys_and_texts_lead_back(ref):
    assert ObjectRef.from_key(ref.key) == ref
    assert ObjectRef.parse(str(ref)) == ref


def test_the_spellings():
    assert (WEB.key, str(WEB)) == ("local|apps|Deployment|shop|web", "Deployment.apps/shop/web")
    assert (SHOP.key, str(SHOP)) == ("local||Namespace||shop", "Namespace/shop")


@pytest.mark.parametrize("text", ["", "a|b", "a|b|c|d|e|f"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match="not an object key"):
        ObjectRef.from_key(text)


@pytest.mark.parametrize("text", ["", "web", "/shop/web", "Deployment.apps/", "Deployment.apps//web", "a/b/c/d"])
def test_what_is_no_object_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="write it like"):
        ObjectRef.parse(text)


@pytest.mark.parametrize(
    ("kind", "arguments", "path"),
    [
        (DEPLOYMENTS, {}, "/apis/apps/v1/deployments"),
        (DEPLOYMENTS, {"namespace": "shop"}, "/apis/apps/v1/namespaces/shop/deployments"),
        (DEPLOYMENTS, {"namespace": "shop", "name": "web"}, "/apis/apps/v1/namespaces/shop/deployments/web"),
        (
            DEPLOYMENTS,
            {"namespace": "shop", "name": "web", "subresource": "status"},
            "/apis/apps/v1/namespaces/shop/deployments/web/status",
        ),
        (NAMESPACES, {}, "/api/v1/namespaces"),
        (NAMESPACES, {"namespace": "ignored", "name": "shop"}, "/api/v1/namespaces/shop"),
    ],
)
def test_paths_under_the_servers_root(kind, arguments, path):
    assert kind.path(**arguments) == path


@pytest.mark.parametrize("name", ["../../x", "a/b", "/", "..", ".", "a%2fb"])
def test_what_would_be_another_path_is_no_name(name):
    for place in ({"name": name}, {"namespace": name}):
        with pytest.raises(ApiError, match="is no name") as caught:
            DEPLOYMENTS.path(**place)
        assert caught.value.status == 422
    assert DEPLOYMENTS.path(name="system:a..b").endswith("/system:a..b")


def test_the_api_version_of_a_type():
    assert (DEPLOYMENTS.api_version, NAMESPACES.api_version) == ("apps/v1", "v1")
