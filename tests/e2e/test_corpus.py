"""Real manifests of other projects, each from an empty cluster in one commit, by the real controller."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.campaign.campaign import SEED, Campaign
from tests.campaign.lab import Lab, corpus_folder, eventually, files_below
from tests.campaign.stage import targets

from trimtab.localcluster import LocalCluster

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def corpus() -> Path:
    folder = corpus_folder()
    if not folder.is_dir():
        pytest.skip(f"no example repositories in {folder}: set TRIMTAB_CORPUS")
    return folder


@pytest.fixture
def lab(local_cluster: LocalCluster, tmp_path: Path) -> Iterator[Lab]:
    with Lab(local_cluster, tmp_path) as lab:
        yield lab


@pytest.fixture
def own_lab(fresh_cluster: LocalCluster, tmp_path: Path) -> Iterator[Lab]:
    with Lab(fresh_cluster, tmp_path) as lab:
        yield lab


@contextmanager
def told_on_failure(lab: Lab, name: str) -> Iterator[None]:
    """Show what the controller says where a test fails."""
    try:
        yield
    except AssertionError:
        print(json.dumps(lab.status(name), indent=1)[:6000])
        print(lab.controller.log()[-4000:])
        raise


def first_sync(lab: Lab, name: str, files: Any, path: str, target: str = "", **spec: Any) -> tuple[dict, float]:
    """Commit, apply, and the status once applied, with the seconds it took."""
    repository = lab.repository(name, files)
    started = time.monotonic()
    lab.application(name, name, path, target, **spec)
    with told_on_failure(lab, name):
        status = lab.wait_applied(name, repository.sha(), timeout_seconds=120)
        seconds = time.monotonic() - started
        assert not status.get("errors")
        assert [item["result"] for item in status["history"]] == ["Applied"], "no second attempt was needed"
        assert not lab.events(name, "ApplyFailed")
    return status, seconds


def at_rest(lab: Lab, name: str) -> None:
    """Nothing is written any more, and nothing was taken for drift."""
    lab.wait_quiet(seconds=2)
    assert lab.drift(name) == []
    assert lab.metric("trimtab_drift_detected_total", application=name) == 0


def test_a_middle_sized_application_becomes_ready_and_healthy(lab, corpus, namespace, record_property):
    files = files_below(corpus / "microservices-demo", "release/kubernetes-manifests.yaml")
    status, seconds = first_sync(lab, "boutique", files, "release", namespace, wait=True, createNamespace=False)
    record_property("seconds", seconds)
    lab.wait_true("boutique", "Healthy")
    status = lab.status("boutique")
    assert status["inventory"] == {"objects": 35, "ready": 35, "drifted": 0}
    at_rest(lab, "boutique")


def test_definitions_custom_resources_and_lists_come_in_one_go(own_lab, corpus, record_property):
    lab = own_lab
    status, seconds = first_sync(lab, "monitoring", files_below(corpus / "kube-prometheus"), ".", timeout="1m")
    record_property("seconds", seconds)
    assert status["inventory"]["objects"] == 131
    at_rest(lab, "monitoring")
    assert Campaign(lab, targets(lab), SEED, tell=print).run(8).complaints == []


def test_an_aggregated_api_without_backend_is_named_and_holds_nothing_up(own_lab, corpus, record_property):
    lab = own_lab
    files = files_below(corpus / "metrics-server")
    status, seconds = first_sync(lab, "metrics", files, "overlays/release")
    record_property("seconds", seconds)
    assert status["inventory"]["objects"] == 9

    def named():
        healthy = lab.condition("metrics", "Healthy")
        assert healthy["status"] == "False"
        live = lab.client.get("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io")
        available = next(each for each in live["status"]["conditions"] if each["type"] == "Available")
        assert "APIService.apiregistration.k8s.io/v1beta1.metrics.k8s.io" in healthy["message"]
        assert available["reason"] in healthy["message"]
        assert available["message"][:80] in healthy["message"]
        assert lab.status("metrics")["inventory"]["ready"] == 8

    with told_on_failure(lab, "metrics"):
        eventually(named)
    at_rest(lab, "metrics")


def test_a_policy_does_not_refuse_the_definitions_it_comes_with(lab, corpus, record_property):
    files = files_below(corpus / "gateway-api")
    status, seconds = first_sync(lab, "gateway", files, "standard", wait=True)
    record_property("seconds", seconds)
    assert status["inventory"]["objects"] == 12
    lab.wait_true("gateway", "Healthy")
    at_rest(lab, "gateway")
    path = "/apis/trimtab.dev/v1alpha1/namespaces/" + lab.namespace + "/applications/gateway"
    lab.client.request("DELETE", path)
    eventually(lambda: gone(lab, path), seconds=120)


def gone(lab: Lab, path: str) -> None:
    assert lab.live(path) is None


def test_scaling_what_nobody_declares_is_no_drift(lab, corpus, namespace):
    first_sync(lab, "podinfo", files_below(corpus / "podinfo"), ".", namespace, wait=True, createNamespace=False)
    lab.kubectl("scale", "deployment", "podinfo", "-n", namespace, "--replicas=3")

    def scaled():
        live = lab.kubectl.get("deployment", "podinfo", "-n", namespace)
        assert live["status"].get("readyReplicas") == 3

    eventually(scaled)
    at_rest(lab, "podinfo")
    scaled()
