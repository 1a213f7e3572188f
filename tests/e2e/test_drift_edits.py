"""Every way in which people change a cluster by hand: it comes back, or is reported, with field, values and actor."""

import json
from collections.abc import Iterator

import pytest
from tests.campaign.edits import EDITS, Edit, Hand
from tests.campaign.lab import Lab, eventually
from tests.campaign.rich import RICH, as_files

from trimtab.localcluster import LocalCluster

CORRECT, REPORT = "correct", "report"


@pytest.fixture(scope="module")
def lab(local_cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(local_cluster, tmp_path_factory.mktemp("edits")) as lab:
        repository = lab.repository("rich", as_files(RICH))
        for name in (CORRECT, REPORT):
            lab.application(name, "rich", "rich", target(lab, name), drift={"mode": name.capitalize()})
        for name in (CORRECT, REPORT):
            lab.wait_applied(name, repository.sha())
        lab.wait_quiet()
        yield lab


def target(lab: Lab, name: str) -> str:
    return f"{lab.namespace}-{name}"


def path_of(lab: Lab, edit: Edit, namespace: str) -> str:
    plural, name = edit.target.split("/")
    kinds = {
        "deployment": ("apps/v1", "Deployment"),
        "service": ("v1", "Service"),
        "configmap": ("v1", "ConfigMap"),
        "secret": ("v1", "Secret"),
        "role": ("rbac.authorization.k8s.io/v1", "Role"),
    }
    return lab.path(*kinds[plural], namespace, name)


def content(body: dict | None) -> dict:
    """What people mean by the object: all but what the server counts and keeps."""
    assert body is not None, "the object is gone"
    metadata = {name: body["metadata"].get(name) for name in ("labels", "annotations")}
    metadata["annotations"] = {
        name: value
        for name, value in (metadata["annotations"] or {}).items()
        if name != "kubectl.kubernetes.io/last-applied-configuration" and not name.startswith("deployment.kubernetes")
    }
    spec = {name: value for name, value in (body.get("spec") or {}).items() if name not in ("clusterIP", "clusterIPs")}
    return {**metadata, **spec, **{name: body.get(name) for name in ("data", "rules", "type")}}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_is_put_back_and_told(lab: Lab, edit: Edit):
    namespace = target(lab, CORRECT)
    path = path_of(lab, edit, namespace)
    before = content(lab.live(path))
    counts = ("trimtab_drift_detected_total", "trimtab_drift_corrected_total")
    counted = {name: lab.metric(name, application=CORRECT) for name in counts}
    edit.run(Hand(lab.cluster, namespace))

    def told():
        for name in counts:
            assert lab.metric(name, application=CORRECT) - counted[name] == len(edit.told)
        fresh = lab.drift(CORRECT)[: len(edit.told)]
        assert edit.fits(fresh, namespace), fresh
        assert all("corrected" in each for each in fresh)
        assert content(lab.live(path)) == before

    eventually(told)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_is_reported_until_it_is_put_back_by_hand(lab: Lab, edit: Edit):
    namespace = target(lab, REPORT)
    path = path_of(lab, edit, namespace)
    before = lab.live(path)
    assert before is not None
    edit.run(Hand(lab.cluster, namespace))
    after = lab.live(path)

    def told():
        standing = lab.standing(REPORT)
        assert edit.fits(standing, namespace), standing
        condition = lab.condition(REPORT, "Drifted")
        assert condition["status"] == "True"
        assert f"(by {standing[0]['actor']})" in condition["message"] or len(standing) > 1
        assert lab.metric("trimtab_drifted_objects", application=REPORT) == 1

    def untold():
        assert lab.standing(REPORT) == []
        assert lab.condition(REPORT, "Drifted")["status"] == "False"
        assert lab.metric("trimtab_drifted_objects", application=REPORT) == 0

    try:
        eventually(told)
        now = lab.live(path)
        assert (now and content(now)) == (after and content(after)), "reported, and left alone"
    finally:
        put_back(lab, path, before)
        eventually(untold)
    assert content(lab.live(path)) == content(before)


def put_back(lab: Lab, path: str, before: dict) -> None:
    """What somebody does who saved the object before the edit."""
    body = json.loads(json.dumps(before))
    for name in ("resourceVersion", "managedFields"):
        body["metadata"].pop(name)
    if lab.live(path) is None:
        body["metadata"].pop("uid")
        lab.client.request("POST", path.rpartition("/")[0], body)
    else:
        lab.client.request("PUT", path, body)
