import copy
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.fields.path import same
from trimtab.plan.normalise import DECLARED_ALGORITHM, declared_digest, normalise

KEY = b"installation"
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=12,
)
bodies = st.builds(
    lambda spec, kind: {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec},
    json_values,
    st.sampled_from(["Secret", "ConfigMap"]),
)


def secret(**parts):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **parts}


@given(bodies)
def test_normalising_twice_is_normalising_once_and_changes_no_argument(body):
    before = copy.deepcopy(body)
    once = normalise(body)
    assert body == before
    assert normalise(once) == once


def test_string_data_wins_over_data():
    body = normalise(secret(data={"a": "b2xk", "b": "eA=="}, stringData={"a": "new ü", "n": None}))
    assert "stringData" not in body
    assert b64decode(body["data"]["a"]).decode() == "new ü"
    assert (body["data"]["b"], body["data"]["n"]) == ("eA==", "")


@pytest.mark.parametrize("empty", [None, {}])
def test_empty_string_data_leaves_data_as_it_is(empty):
    assert normalise(secret(stringData=empty)) == secret()
    assert normalise(secret(stringData=empty, data=None)) == secret(data=None)


@pytest.mark.parametrize("wrong", [{"port": 80}, ["a"], "text"])
def test_string_data_of_a_wrong_type_is_left_for_the_server_to_refuse(wrong):
    assert normalise(secret(stringData=wrong))["stringData"] == wrong


def test_another_kind_called_secret_is_left_alone():
    body = {**secret(stringData={"a": "x"}), "apiVersion": "vault.example.com/v1"}
    assert normalise(body) == body


def test_null_fields_of_list_items_go_and_those_of_maps_stay():
    spec = {
        "ports": [{"port": 80, "protocol": None, "nested": {"kept": None, "deep": [{"gone": None}]}}, None],
        "replicas": None,
        "matrix": [[{"gone": None}]],
    }
    body = normalise({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec})
    assert body["spec"] == {
        "ports": [{"port": 80, "nested": {"kept": None, "deep": [{}]}}, None],
        "replicas": None,
        "matrix": [[{}]],
    }


@pytest.mark.parametrize(
    ("rule", "kept"),
    [({"clusterRoleSelectors": [{}]}, False), (None, True), ({}, True)],
    ids=["aggregated", "null", "{}"],
)
def test_rules_beside_an_aggregation_rule_go(rule, kept):
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r"},
        "aggregationRule": rule,
        "rules": [],
    }
    assert ("rules" in normalise(role)) is kept


def test_what_the_server_keeps_goes():
    metadata: dict = {
        "name": "x",
        "namespace": "",
        "labels": None,
        "annotations": {},
        "uid": "1",
        "resourceVersion": "1",
        "creationTimestamp": None,
        "generation": 2,
        "selfLink": "/x",
        "managedFields": [],
        "finalizers": ["f"],
    }
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "status": {"a": 1}}
    assert normalise(body) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "finalizers": ["f"]},
    }


@given(bodies, bodies)
def test_digests_are_equal_where_bodies_are(one, other):
    reordered = dict(reversed(one.items()))
    assert declared_digest(KEY, one) == declared_digest(KEY, reordered)
    assert declared_digest(KEY, one).startswith(f"{DECLARED_ALGORITHM}:")
    assert declared_digest(KEY, one) != declared_digest(b"another", one)
    if repr(one) != repr(other):
        assert (declared_digest(KEY, one) == declared_digest(KEY, other)) is same(one, other)
