"""Values from the cluster, put into manifests by a running controller: they are followed without a commit."""

import json
from typing import Any

import pytest
from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import Lab

WEB = """apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {mode: "${MODE}", region: "${REGION:=north}"}
"""
SECRET = "substitution-canary-51c9"


@pytest.fixture
def put(lab: Lab):
    def apply(kind: str, name: str, **data: str) -> None:
        field = "stringData" if kind == "Secret" else "data"
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": lab.namespace}, field: data}
        lab.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(body))

    return apply


@pytest.fixture
def web(lab: Lab, namespace: str):
    """The live data of the declared object; empty where it is not there."""

    def data() -> dict[str, Any]:
        found = lab.kubectl.run("get", "configmap", "web", "-n", namespace, "-o", "json")
        return json.loads(found.stdout)["data"] if found.returncode == 0 else {}

    return data


def application(lab: Lab, namespace: str, *sources: dict[str, Any], **post_build: Any) -> None:
    build = {"substituteFrom": list(sources), **post_build}
    lab.application("web", "fleet", "app", targetNamespace=namespace, postBuild=build)


def test_values_are_followed_without_a_commit(lab: Lab, namespace: str, put, web):
    repository = lab.repository("fleet", {"app/web.yaml": WEB})
    application(
        lab, namespace, {"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "keys", "optional": True}
    )
    told = lab.wait_condition("web", "Ready", "False")
    assert told["reason"] == "SubstitutionFailed"
    assert "ConfigMap vars of spec.postBuild.substituteFrom: it does not exist" in told["message"]
    assert web() == {}

    put("ConfigMap", "vars", MODE="fast")
    lab.wait_applied("web", repository.sha())
    assert web() == {"mode": "fast", "region": "north"}

    put("ConfigMap", "vars", MODE="slow")
    wait_for(lambda: web().get("mode") == "slow", what="the changed ConfigMap")
    put("Secret", "keys", REGION="south")
    wait_for(lambda: web().get("region") == "south", what="the Secret that came later")

    lab.kubectl("delete", "configmap", "vars", "-n", lab.namespace)
    lab.wait_condition("web", "Ready", "False")
    assert web() == {"mode": "slow", "region": "south"}, "nothing is pruned for want of a value"
    put("ConfigMap", "vars", MODE="back")
    wait_for(lambda: web().get("mode") == "back", what="the ConfigMap that came back")


def test_a_secrets_value_is_told_nowhere(lab: Lab, namespace: str, put):
    broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '${TOKEN}/x', namespace: '${TOKEN}!'}\n"
    lab.repository("fleet", {"app/web.yaml": broken, "app/b.yaml": WEB})
    put("Secret", "keys", TOKEN=SECRET)
    application(lab, namespace, {"kind": "Secret", "name": "keys"})
    told = lab.wait_condition("web", "Ready", "False")
    status = json.dumps(lab.status("web"))
    events = lab.kubectl("get", "events", "-n", lab.namespace, "-o", "json")
    assert "variable MODE has no value" in status
    assert "app/b.yaml:4" in status
    assert "metadata.name" in status
    for text in (json.dumps(told), status, events, lab.controller.log(), lab.controller.metrics()):
        assert SECRET not in text
