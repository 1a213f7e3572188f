"""Each rule of normalising, and what the API server does without it."""

import copy

from tests.integration.drift.examples import config_map, container_of, deployment, secret

from trimtab.core.fields.managed import our_paths
from trimtab.core.fields.path import text_of
from trimtab.drift.baseline import baseline
from trimtab.plan.normalise import normalise

KEY = b"installation"


def owned(answer):
    return {text_of(path) for path in our_paths(answer)}


def test_string_data_hides_edits_unless_it_is_folded(server):
    raw = {**secret(), "data": {"a": "eA==", "kept": "eQ=="}, "stringData": {"a": "text", "none": None}}
    plain = server.apply(raw)
    assert "stringData.a" in owned(plain)
    answer = server.apply(normalise(raw))
    assert answer["data"] == plain["data"]
    assert owned(answer) >= {"data.a", "data.kept", "data.none"}
    assert not any(path.startswith("stringData") for path in owned(answer))


def test_folding_gives_what_the_server_makes_of_it(server):
    raw = {**secret(), "data": {"a": "eA==", "empty": ""}, "stringData": {"a": "ü\n", "b": ""}}
    assert server.create(raw)["data"] == normalise(raw)["data"]


def test_a_null_in_a_port_appends_one_at_each_apply_unless_it_is_dropped(server):
    raw = deployment()
    container_of(raw)["ports"] = [{"containerPort": 80, "protocol": None}]
    server.apply(raw)
    assert len(container_of(server.apply(raw))["ports"]) == 2
    server.delete(raw)
    body = normalise(raw)
    server.apply(body)
    assert len(container_of(server.apply(body))["ports"]) == 1


def test_rules_of_an_aggregated_role_are_the_controllers(server):
    raw = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"aggregated-{server.namespace}"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"x": server.namespace}}]},
        "rules": [],
    }
    try:
        assert "rules" in owned(server.apply(raw))
        server.delete(raw)
        assert owned(server.apply(normalise(raw))) == {"aggregationRule.clusterRoleSelectors"}
    finally:
        server.delete(raw)


def test_what_the_server_keeps_and_reports_is_not_sent(server):
    live = server.apply(deployment())
    body = normalise(live)
    assert "status" not in body
    assert set(body["metadata"]) == {"name", "namespace", "labels", "annotations"}
    assert server.apply(body)["metadata"]["uid"] == live["metadata"]["uid"]


def test_nulls_of_map_fields_declare_the_zero_value_and_rest(server):
    """They are kept: to the server a null is a declaration like any other."""
    body = deployment(replicas=None)
    body["spec"]["template"]["spec"]["nodeSelector"] = None
    body["spec"]["template"]["metadata"]["creationTimestamp"] = None
    container_of(body)["livenessProbe"] = None
    body = normalise(body)
    first = server.apply(body)
    assert first["spec"]["replicas"] == 1
    assert owned(first) >= {"spec.replicas", "spec.template.spec.nodeSelector"}
    assert baseline(server.apply(body), key=KEY) == baseline(first, key=KEY)
    settings = config_map(a="1")
    settings["data"]["b"] = None
    assert server.apply(normalise(settings))["data"] == {"a": "1", "b": ""}


def test_a_number_in_string_data_is_left_for_the_server_to_name(server):
    raw = {**secret(), "stringData": {"port": 80}}
    assert normalise(raw)["stringData"] == {"port": 80}


def test_the_argument_is_left_as_it_is():
    raw = {**secret(), "stringData": {"a": "x"}, "status": {}}
    before = copy.deepcopy(raw)
    normalise(raw)
    assert raw == before
