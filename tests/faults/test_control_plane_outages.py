"""The API server and etcd go away and come back: nothing is deleted, and edits made right afterwards are healed.

One control plane of this file's own. After each test it runs again.
"""

import json
from collections.abc import Iterator

import pytest
from tests.faults.scene import edit, folder, heals, uid, value, wait_value
from tests.fixtures.cluster import LoudProgress, wait_for
from tests.fixtures.lab import Lab, close_lab, install_crds, make_lab

from trimtab.adapters.git.bare_repository import BareRepository
from trimtab.localcluster import LocalCluster

NAMES = ("web", "worker", "cache")


@pytest.fixture(scope="module")
def plane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    folder_ = tmp_path_factory.mktemp("plane")
    with LocalCluster(name="outages", folder=folder_ / "cluster", progress=LoudProgress(request.config)) as own:
        yield own


@pytest.fixture(scope="module")
def lab(plane: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = make_lab(plane, tmp_path_factory.mktemp("lab"))
    repository = made.repository("shop", folder(*NAMES))
    made.application("shop", "shop", "app")
    made.controller.start()
    made.wait_applied("shop", repository.sha())
    yield made
    close_lab(made)


@pytest.fixture
def running(plane: LocalCluster, lab: Lab) -> Iterator[Lab]:
    """The lab, whose control plane stands again when the test is over; the controller was never restarted."""
    pid = lab.controller.pid
    yield lab
    for component, runs in plane.running().items():
        if not runs:
            plane.start_component(component)
    plane.wait_ready()
    assert lab.controller.running, lab.controller.log()[-4000:]
    assert lab.controller.pid == pid


def uids(lab: Lab) -> dict[str, str]:
    return {name: uid(lab, "configmap", name) for name in NAMES}


def back(plane: LocalCluster, lab: Lab, *components: str) -> None:
    """Start components, and return with the first answer."""
    for component in components:
        plane.start_component(component)
    wait_for(lambda: lab.kubectl.run("get", "ns", "default").returncode == 0, timeout_seconds=60, what="an answer")


def test_edits_made_when_the_api_server_is_just_back_are_healed(plane: LocalCluster, running: Lab) -> None:
    lab, before = running, uids(running)
    plane.stop_component("kube-apiserver")
    wait_for(lambda: lab.controller.ask("readyz")[0] == 503, what="readyz to notice")
    assert lab.controller.ask("livez")[0] == 200, "a restart would mend nothing"
    back(plane, lab, "kube-apiserver")
    edit(lab, "web")
    lab.kubectl("delete", "configmap", "cache", "-n", lab.namespace)
    wait_value(lab, "web", "declared")
    wait_value(lab, "cache", "declared")
    wait_for(lambda: lab.controller.ask("readyz")[0] == 200, what="readyz")
    assert {name: uid(lab, "configmap", name) for name in ("web", "worker")} == {
        name: before[name] for name in ("web", "worker")
    }, "nothing was deleted"


def test_a_commit_made_while_the_api_server_was_away_is_applied(plane: LocalCluster, running: Lab) -> None:
    lab = running
    lab.declare("GitRepository", "shop", {"url": f"{lab.server.url}/shop.git", "interval": "1s"})
    repository = BareRepository(lab.server.root / "shop.git")
    plane.stop_component("kube-apiserver", grace_seconds=0)
    newer = repository.commit(folder("late"), "While nobody answers")
    wait_for(lambda: lab.controller.ask("readyz")[0] == 503, what="readyz to notice")
    back(plane, lab, "kube-apiserver")
    lab.wait_applied("shop", newer)
    assert value(lab, "late") == "declared"
    lab.wait_condition("shop", "Ready")


def test_etcd_may_go_and_come_back(plane: LocalCluster, running: Lab) -> None:
    lab, before = running, uids(running)
    plane.stop_component("etcd", grace_seconds=0)
    patch = json.dumps({"data": {"value": "lost"}})
    failed = lab.kubectl.run(
        "patch", "configmap", "web", "-n", lab.namespace, "--type=merge", "-p", patch, "--request-timeout=2s"
    )
    assert failed.returncode != 0, "the API server has nothing to write to"
    back(plane, lab, "etcd")
    wait_for(
        lambda: lab.kubectl.run("annotate", "--overwrite", "ns", "default", "x=y").returncode == 0,
        timeout_seconds=60,
        what="a write",
    )
    heals(lab, "worker", timeout_seconds=90)
    assert uids(lab)["web"] == before["web"]
    lab.wait_condition("shop", "Ready")


def test_a_controller_that_starts_before_the_api_server_waits_for_it(plane: LocalCluster, lab: Lab) -> None:
    lab.controller.stop()
    plane.stop_component("kube-apiserver", grace_seconds=0)
    lab.controller.start(ready=False)
    wait_for(lambda: lab.controller.ask("readyz")[0] == 503, what="the probes to answer")
    assert lab.controller.ask("livez")[0] == 200
    back(plane, lab, "kube-apiserver")
    edit(lab, "worker")
    wait_for(lambda: lab.controller.ask("readyz")[0] == 200, what="readyz")
    wait_value(lab, "worker", "declared")
    plane.wait_ready()


def test_where_our_definitions_go_nothing_is_pruned_and_all_resumes_with_them(
    plane: LocalCluster, running: Lab
) -> None:
    lab, before = running, uids(running)
    spec = lab.kubectl.get("tapp", "shop", "-n", lab.namespace)["spec"]
    source = lab.kubectl.get("tgit", "shop", "-n", lab.namespace)["spec"]
    names = [f"crd/{plural}.trimtab.dev" for plural in ("applications", "gitrepositories", "inventories")]
    lab.kubectl("delete", *names, "--timeout=40s")
    assert uids(lab) == before
    wait_for(
        lambda: "install --crds-only" in lab.controller.ask("readyz")[1],
        timeout_seconds=60,
        what="readyz to say what is missing",
    )
    install_crds(plane)
    lab.declare("GitRepository", "shop", source)
    lab.declare("Application", "shop", spec)
    lab.wait_condition("shop", "Ready")
    assert uids(lab) == before, "its successor takes over what it left"
    heals(lab, "web")
