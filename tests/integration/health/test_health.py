"""Health of objects as a real control plane shows them, from creation to their final state."""

import json

import pytest
from tests.fixtures.cluster import wait_for

from trimtab.health.assess import assess
from trimtab.health.status import Health, HealthStatus

LABELS = {"app": "web"}


def pod(**annotations: str) -> dict:
    return {
        "metadata": {"labels": LABELS, "annotations": annotations},
        "spec": {"containers": [{"name": "app", "image": "example.test/app:1"}]},
    }


def deployment(**annotations: str) -> dict:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "one"},
        "spec": {
            "replicas": 2,
            "progressDeadlineSeconds": 2,
            "minReadySeconds": 0,
            "selector": {"matchLabels": LABELS},
            "template": pod(**annotations),
        },
    }


def body(kind: str, api_version: str, spec: dict) -> dict:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "one"}, "spec": spec}


CURRENT = [
    deployment(),
    body("StatefulSet", "apps/v1", {"serviceName": "one", "selector": {"matchLabels": LABELS}, "template": pod()}),
    body("DaemonSet", "apps/v1", {"selector": {"matchLabels": LABELS}, "template": pod()}),
    body("ReplicaSet", "apps/v1", {"selector": {"matchLabels": LABELS}, "template": pod()}),
    body("Service", "v1", {"type": "LoadBalancer", "ports": [{"port": 80}]}),
    body("PodDisruptionBudget", "policy/v1", {"minAvailable": 1, "selector": {"matchLabels": LABELS}}),
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "b"}},
    body(
        "Job",
        "batch/v1",
        {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "example.test/a:1"}]}}},
    ),
]


@pytest.mark.parametrize("manifest", CURRENT, ids=lambda manifest: manifest["kind"])
def test_becomes_current(kubectl, namespace, manifest):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(manifest))
    kind = manifest["kind"].lower()
    wait_for(lambda: assess(kubectl.get(kind, "one", "-n", namespace)).current, timeout_seconds=30)


def test_pods_that_crash_fail_the_deployment(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(deployment(**{"trimtab.dev/simulate": "crash-loop"})))

    def settled() -> Health | None:
        health = assess(kubectl.get("deployment", "one", "-n", namespace))
        return health if health.status is HealthStatus.FAILED else None

    health = wait_for(settled, timeout_seconds=30)
    assert health is not None
    assert health.message.startswith("ProgressDeadlineExceeded: ")
    assert health.message.endswith("0 of 2 replicas available")


def test_an_unreachable_api_is_told_in_the_servers_words(kubectl, namespace):
    name = "v1beta1.absent.example.test"
    spec = {
        "group": "absent.example.test",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"name": "absent", "namespace": namespace},
    }
    manifest = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}}
    kubectl("apply", "-f", "-", stdin=json.dumps({**manifest, "spec": spec}))
    try:

        def judged() -> bool:
            return "ServiceNotFound: " in assess(kubectl.get("apiservice", name)).message

        wait_for(judged, timeout_seconds=30)
        assert assess(kubectl.get("apiservice", name)).status is HealthStatus.IN_PROGRESS
    finally:
        kubectl("delete", "apiservice", name)
