"""The control plane behaves like any other: what is applied becomes ready, or fails as it was told to."""

from typing import Any

import pytest
from tests.fixtures.cluster import Kubectl, wait_for

POD = {"containers": [{"name": "main", "image": "registry.example/main:1"}]}
SIMULATED = ("crash-loop", "image-pull-error", "never-ready")


def workload(kind: str, name: str, *, annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels, "annotations": annotations or {}}, "spec": POD}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def job(name: str, *, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    template = {"metadata": {"annotations": annotations or {}}, "spec": {**POD, "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template},
    }


class Applied:
    """Applies objects to the test's namespace and waits for what becomes of them."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl = kubectl
        self.namespace = namespace

    def apply(self, body: dict[str, Any]) -> None:
        self._kubectl.apply(body, namespace=self.namespace)

    def status(self, kind: str, name: str) -> dict[str, Any]:
        return self._kubectl.get(kind, name, "-n", self.namespace).get("status", {})

    def pod(self, app: str) -> dict[str, Any]:
        items = self._kubectl.get("pods", "-n", self.namespace, "-l", f"app={app}")["items"]
        return items[0]["status"] if items else {}


@pytest.fixture
def applied(kubectl: Kubectl, namespace: str) -> Applied:
    return Applied(kubectl, namespace)


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in status.get("conditions", [])}


def test_a_deployment_of_three_becomes_available(applied: Applied) -> None:
    applied.apply(workload("Deployment", "web", replicas=3))
    wait_for(lambda: applied.status("deployment", "web").get("availableReplicas") == 3)
    assert applied.pod("web")["podIP"].startswith("10.244.")


def test_a_stateful_set_gets_its_volumes_and_becomes_ready(applied: Applied) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    applied.apply(workload("StatefulSet", "db", serviceName="db", replicas=2, volumeClaimTemplates=[claim]))
    wait_for(lambda: applied.status("statefulset", "db").get("readyReplicas") == 2)
    assert applied.status("pvc", "data-db-0")["phase"] == "Bound"


def test_a_daemon_set_runs_on_every_node(applied: Applied, kubectl: Kubectl) -> None:
    applied.apply(workload("DaemonSet", "agent"))
    nodes = len(kubectl.get("nodes")["items"])
    wait_for(lambda: applied.status("daemonset", "agent").get("numberReady") == nodes)


def test_jobs_complete_and_fail_as_told(applied: Applied) -> None:
    applied.apply(job("good"))
    applied.apply(job("bad", annotations={"trimtab.dev/simulate": "failed-job"}))
    wait_for(lambda: conditions(applied.status("job", "good")).get("Complete") == "True")
    wait_for(lambda: conditions(applied.status("job", "bad")).get("Failed") == "True")


def test_a_load_balancer_gets_an_address(applied: Applied) -> None:
    spec = {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]}
    applied.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    address = wait_for(lambda: applied.status("service", "web").get("loadBalancer", {}).get("ingress"))
    assert address[0]["ip"].startswith("10.96.")


@pytest.mark.parametrize(
    ("simulate", "phase", "reason"),
    [("crash-loop", "Running", "CrashLoopBackOff"), ("image-pull-error", "Pending", "ImagePullBackOff")],
)
def test_pods_fail_as_annotated(applied: Applied, simulate: str, phase: str, reason: str) -> None:
    applied.apply(workload("Deployment", simulate, annotations={"trimtab.dev/simulate": simulate}))
    wait_for(lambda: "containerStatuses" in applied.pod(simulate))
    status = applied.pod(simulate)
    assert status["phase"] == phase
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == reason
    assert conditions(status)["Ready"] == "False"
    assert applied.status("deployment", simulate).get("availableReplicas", 0) == 0


def test_a_pod_can_run_without_ever_being_ready(applied: Applied) -> None:
    applied.apply(workload("Deployment", "sick", annotations={"trimtab.dev/simulate": "never-ready"}))
    wait_for(lambda: applied.pod("sick").get("phase") == "Running")
    status = applied.pod("sick")
    assert "running" in status["containerStatuses"][0]["state"]
    assert conditions(status)["Ready"] == "False"


def test_a_slow_pod_becomes_ready_after_its_delay(applied: Applied) -> None:
    annotations = {"trimtab.dev/simulate": "slow", "trimtab.dev/simulate-delay": "1500ms"}
    applied.apply(workload("Deployment", "slow", annotations=annotations))
    wait_for(lambda: applied.pod("slow").get("phase") == "Pending")
    assert conditions(applied.pod("slow")).get("Ready") != "True"
    wait_for(lambda: applied.status("deployment", "slow").get("availableReplicas") == 1)


def test_a_running_pod_starts_to_crash_when_it_is_told_to(applied: Applied, kubectl: Kubectl) -> None:
    applied.apply(workload("Deployment", "late"))
    wait_for(lambda: applied.status("deployment", "late").get("availableReplicas") == 1)
    kubectl("annotate", "pods", "-n", applied.namespace, "-l", "app=late", "trimtab.dev/simulate=crash-loop")
    wait_for(lambda: applied.status("deployment", "late").get("availableReplicas", 0) == 0)


def test_all_of_this_can_be_deleted(applied: Applied, kubectl: Kubectl) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    applied.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim})
    for simulate in SIMULATED:
        applied.apply(workload("Deployment", simulate, annotations={"trimtab.dev/simulate": simulate}))
    wait_for(lambda: all("containerStatuses" in applied.pod(simulate) for simulate in SIMULATED))
    wait_for(lambda: applied.status("pvc", "data").get("phase") == "Bound")
    volume = kubectl.get("pvc", "data", "-n", applied.namespace)["spec"]["volumeName"]
    kubectl("delete", "deployments,pvc", "--all", "-n", applied.namespace)
    wait_for(lambda: not kubectl.get("pods", "-n", applied.namespace)["items"], what="the end of the Pods")
    wait_for(lambda: kubectl.run("get", "pv", volume).returncode != 0, what="the end of the volume")
