"""Drift over time: while the controller is down, suspended, told to ignore it, contradicted, or fought."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from tests.campaign import rich
from tests.campaign.edits import EDITS, Hand
from tests.campaign.lab import MERGE, Lab, eventually

from trimtab.localcluster import ClusterError, LocalCluster


@pytest.fixture(scope="module")
def shared_lab(local_cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(local_cluster, tmp_path_factory.mktemp("life")) as lab:
        lab.repository("rich", rich.as_files(rich.RICH))
        yield lab


class Stage:
    """One Application of this test's own, with its objects in a namespace of their own."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab = lab
        self.name = name
        self.namespace = f"{lab.namespace}-{name}"
        self.hand = Hand(lab.cluster, self.namespace)

    def begin(self, **spec: object) -> None:
        self.lab.application(self.name, "rich", "rich", self.namespace, **spec)
        self.lab.wait_true(self.name, "Ready")
        self.lab.wait_quiet(seconds=0.5)

    def config_map(self, name: str = "settings") -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps/{name}"

    def data(self) -> dict[str, str]:
        found = self.lab.live(self.config_map())
        assert found is not None
        return dict(found["data"])

    def patch(self, patch: dict) -> None:
        self.lab.client.request("PATCH", self.config_map(), patch, media_type=MERGE)

    def told(self) -> dict[str, tuple[str, str]]:
        """Field → actor and whether it was put back, of all drift that status shows."""
        return {
            each["field"]: (each["actor"], "corrected" if "corrected" in each else "stands")
            for each in self.lab.drift(self.name)
        }

    def metric(self, name: str) -> float:
        return self.lab.metric(f"trimtab_{name}", application=self.name)


@pytest.fixture
def stage(shared_lab: Lab, request: pytest.FixtureRequest) -> Iterator[Stage]:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))[-30:].strip("-")
    if not shared_lab.controller.running:
        shared_lab.controller.start()
    stage = Stage(shared_lab, name)
    yield stage
    with suppress(ClusterError):
        path = f"/apis/trimtab.dev/v1alpha1/namespaces/{shared_lab.namespace}/applications/{name}"
        shared_lab.client.request("DELETE", path)


# Edits of different fields, so that all of them can stand at once.
TOGETHER = [
    edit
    for edit in EDITS
    if edit.name
    in {"patch", "label-removed", "annotate", "scale", "set-image", "value-becomes-value-from", "strategy"}
    | {"port-renumbered", "selector", "secret", "rules", "container-removed"}
]


@pytest.mark.parametrize("mode", ["Correct", "Report"])
def test_edits_made_while_it_was_down(stage: Stage, mode: str):
    stage.begin(drift={"mode": mode})
    stage.lab.controller.stop()
    for edit in TOGETHER:
        edit.run(stage.hand)
    stage.lab.controller.start()
    how = "corrected" if mode == "Correct" else "stands"
    expected = {field: (([*values, edit.actor])[2], how) for edit in TOGETHER for field, values in edit.told.items()}

    def told():
        assert stage.told() == expected

    eventually(told)
    if mode == "Correct":
        assert stage.data() == rich.CONFIG_MAP["data"]
        assert stage.metric("drift_corrected_total") == len(expected)
    else:
        assert stage.data()["colour"] == "red"
        assert stage.metric("drifted_objects") == 5


def test_an_object_replaced_while_it_was_down(stage: Stage):
    stage.begin()
    stage.lab.controller.stop()
    stage.hand("delete", "configmap/settings", "secret/login")
    stage.hand("create", "configmap", "settings", "--from-literal=colour=pink")
    stage.lab.controller.start()

    def back():
        assert stage.data() == rich.CONFIG_MAP["data"]
        assert stage.lab.live(f"/api/v1/namespaces/{stage.namespace}/secrets/login")
        assert {each["object"].split("/")[-1] for each in stage.lab.drift(stage.name)} == {"settings", "login"}
        assert all("corrected" in each for each in stage.lab.drift(stage.name))

    eventually(back)


def test_what_was_put_back_while_it_was_down_is_no_drift(stage: Stage):
    stage.begin()
    stage.lab.controller.stop()
    stage.patch({"data": {"colour": "red"}})
    stage.patch({"data": {"colour": "green"}})
    stage.lab.controller.start()
    stage.lab.wait_quiet(seconds=1)
    assert stage.told() == {}
    assert stage.metric("drift_detected_total") == 0
    # Owned again: the next edit is told at once, by its actor.
    stage.hand.patch("configmap/settings", {"data": {"colour": "red"}})
    eventually(lambda: holds(stage.told() == {"data.colour": ("kubectl-patch", "corrected")}))


def holds(fact: object) -> None:
    assert fact


def test_what_nobody_declared_stays_and_asks_for_nothing(stage: Stage):
    stage.begin()
    stage.lab.requests()
    hand = stage.hand
    hand("label", "configmap/settings", "mine=yes")
    hand("annotate", "deployment/web", "mine=yes")
    hand.patch("configmap/settings", {"data": {"extra": "yes"}})
    hand("set", "env", "deployment/web", "-c", "web", "EXTRA=yes")
    container = {"name": "extra", "image": "registry.example/extra:1.0"}
    hand.patch("deployment/web", {"spec": {"template": {"spec": {"containers": [container]}}}})
    hand.patch("service/web", {"spec": {"ports": [{"name": "admin", "port": 9999}]}})
    hand.patch("deployment/web", {"spec": {"minReadySeconds": 1}})
    # Another spelling, another applier of the same values.
    quantity = {"name": "web", "resources": {"requests": {"cpu": "0.1"}}}
    hand.patch("deployment/web", {"spec": {"template": {"spec": {"containers": [quantity]}}}})
    hand.apply(rich.ROLE, "--server-side", "--field-manager=other")
    before = {name: hand.body(name) for name in ("configmap/settings", "service/web")}
    stage.lab.wait_quiet(seconds=1)
    assert stage.told() == {}
    assert stage.metric("drift_detected_total") == 0
    # A correction right beside them leaves them alone.
    hand.patch("configmap/settings", {"data": {"colour": "red"}})
    hand("scale", "deployment/web", "--replicas=3")
    place = [port["name"] for port in before["service/web"]["spec"]["ports"]].index("http")
    hand.json_patch("service/web", {"op": "replace", "path": f"/spec/ports/{place}/port", "value": 8088})
    eventually(lambda: holds(len(stage.told()) == 3 and stage.metric("drift_corrected_total") == 3))
    assert hand.body("configmap/settings")["data"] == before["configmap/settings"]["data"]
    assert hand.body("configmap/settings")["metadata"]["labels"]["mine"] == "yes"
    ports = {port["name"]: port["port"] for port in hand.body("service/web")["spec"]["ports"]}
    assert ports == {"http": 80, "metrics": 9090, "admin": 9999}
    deployment = hand.body("deployment/web")
    assert deployment["metadata"]["annotations"]["mine"] == "yes"
    assert deployment["spec"]["minReadySeconds"] == 1
    containers = {each["name"]: each for each in deployment["spec"]["template"]["spec"]["containers"]}
    assert containers.keys() == {"web", "sidecar", "extra"}
    assert {"name": "EXTRA", "value": "yes"} in containers["web"]["env"]


def test_ignore_does_nothing(stage: Stage):
    stage.begin(drift={"mode": "Ignore"})
    stage.lab.requests()
    stage.patch({"data": {"colour": "red"}})
    stage.hand("delete", "secret/login")
    time.sleep(1)
    assert not [each for each in stage.lab.requests() if each.writes and "trimtab.dev" not in each.resource]
    assert stage.data()["colour"] == "red"
    assert stage.told() == {}
    assert stage.lab.condition(stage.name, "Drifted")["status"] == "Unknown"
    # Correct again: it is put right at once.
    stage.lab.change_application(stage.name, {"spec": {"drift": {"mode": "Correct"}}})
    eventually(lambda: holds(stage.data()["colour"] == "green"))
    eventually(lambda: holds(stage.lab.live(f"/api/v1/namespaces/{stage.namespace}/secrets/login")))
    eventually(lambda: holds(stage.lab.condition(stage.name, "Drifted")["status"] == "False"))


def test_an_object_may_have_a_mode_of_its_own(stage: Stage):
    stage.begin()
    lab, repository = stage.lab, f"{stage.name}-own"
    body = {**rich.CONFIG_MAP, "metadata": {"name": "watched", "annotations": {"trimtab.dev/drift": "Report"}}}
    lab.repository(repository, rich.as_files({"watched.yaml": body}))
    lab.application(repository, repository, ".", stage.namespace, createNamespace=False)
    lab.wait_true(repository, "Ready")
    lab.client.request("PATCH", stage.config_map("watched"), {"data": {"colour": "red"}}, media_type=MERGE)
    eventually(lambda: holds([each["field"] for each in lab.standing(repository)] == ["data.colour"]))
    live = lab.live(stage.config_map("watched"))
    assert live is not None
    assert live["data"]["colour"] == "red"


def test_suspended_means_neither_synced_nor_healed(stage: Stage):
    stage.begin()
    lab = stage.lab
    lab.change_application(stage.name, {"spec": {"suspend": True}})
    eventually(lambda: holds("suspended" in lab.condition(stage.name, "Ready")["message"]))
    lab.requests()
    stage.patch({"data": {"colour": "red"}})
    stage.hand("delete", "secret/login")
    time.sleep(1)
    assert not [each for each in lab.requests() if each.writes and "trimtab.dev" not in each.resource]
    assert stage.data()["colour"] == "red"
    assert lab.condition(stage.name, "Drifted")["status"] == "Unknown"
    lab.change_application(stage.name, {"spec": {"suspend": False}})
    eventually(lambda: holds(stage.data()["colour"] == "green"))
    eventually(lambda: holds(lab.live(f"/api/v1/namespaces/{stage.namespace}/secrets/login")))
    eventually(lambda: holds({each["field"] for each in lab.drift(stage.name)} == {"data.colour", ""}))
    assert lab.standing(stage.name) == []


def test_the_holder_keeps_what_two_applications_claim(stage: Stage):
    stage.begin()
    lab, newcomer = stage.lab, f"{stage.name[:12]}-newcomer"
    bodies = {"settings.yaml": {**rich.CONFIG_MAP, "data": {"colour": "violet"}}}
    bodies["own.yaml"] = {**rich.CONFIG_MAP, "metadata": {"name": "own"}}
    repository = lab.repository(newcomer, rich.as_files(bodies))
    lab.application(newcomer, newcomer, ".", stage.namespace, createNamespace=False, interval="2s")

    def refused():
        status = lab.status(newcomer)
        assert lab.condition(newcomer, "Ready")["status"] == "False"
        assert len(status["errors"]) == 1
        (error,) = status["errors"]
        assert error["object"] == f"ConfigMap/{stage.namespace}/settings"
        assert (error["file"], error["line"]) == ("settings.yaml", 1)
        assert f"{lab.namespace}/{stage.name}" in error["message"]
        assert lab.live(stage.config_map("own"))

    eventually(refused)
    assert stage.data() == rich.CONFIG_MAP["data"]
    assert lab.condition(stage.name, "Ready")["status"] == "True"
    assert stage.told() == {}
    # The holder lets go: the newcomer may have it.
    path = f"/apis/trimtab.dev/v1alpha1/namespaces/{lab.namespace}/applications/"
    lab.client.request("DELETE", path + stage.name)
    eventually(lambda: holds(lab.live(path + stage.name) is None))
    lab.wait_applied(newcomer, repository.sha())
    assert stage.data() == {"colour": "violet"}
    lab.client.request("DELETE", path + newcomer)
    eventually(lambda: holds(lab.live(path + newcomer) is None))


@contextmanager
def repeating(action: Callable[[], object], *, pause_seconds: float) -> Iterator[None]:
    """Do something over and over in a thread."""
    end = threading.Event()

    def run() -> None:
        while not end.wait(pause_seconds):
            with suppress(ClusterError):
                action()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_a_fight_is_damped_and_nothing_else_suffers(stage: Stage):
    stage.begin()
    lab = stage.lab
    with repeating(lambda: stage.patch({"data": {"colour": "red"}}), pause_seconds=0.05):
        time.sleep(4)
        fought = stage.metric("drift_corrected_total")
        assert fought <= 7, "the first ones at once, then ever more seldom"
        # What waits is told as what it is.
        assert lab.condition(stage.name, "Drifted")["status"] == "True"
        assert [each["field"] for each in lab.standing(stage.name)] == ["data.colour"]
        assert lab.events(stage.name, "Fight")
        lab.requests()
        stage.hand("scale", "deployment/web", "--replicas=3")
        eventually(lambda: holds(stage.hand.body("deployment/web")["spec"]["replicas"] == 2), seconds=2)
        time.sleep(3)
        assert len(lab.requests()) < 25, "the rival's pace is not ours"
    eventually(lambda: holds(stage.data()["colour"] == "green"))
    eventually(lambda: holds(lab.condition(stage.name, "Drifted")["status"] == "False"))
