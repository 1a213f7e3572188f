"""Deletions of all that can be deleted, at the worst moment: nothing hangs, nothing of others goes, marks go too."""

import json
import time
from collections.abc import Iterator

import pytest
from tests.faults.scene import config_map, folder, heals, uid, value, wait_value
from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import Lab, close_lab, make_lab

from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION
from trimtab.localcluster import Cluster


def gone(lab: Lab, name: str, *, timeout_seconds: float = 90) -> None:
    """Wait until an Application is released."""
    wait_for(
        lambda: lab.kubectl.run("get", "tapp", name, "-n", lab.namespace).returncode != 0,
        timeout_seconds=timeout_seconds,
        what=f"the end of {name}\n{lab.controller.log()[-2000:]}",
    )
    assert shards(lab, name) == [], lab.kubectl("get", "tinv", "-n", lab.namespace, "-o", "yaml")


def delete(lab: Lab, *what: str) -> None:
    lab.kubectl("delete", *what, "-n", lab.namespace, "--wait=false")


def shards(lab: Lab, name: str) -> list[str]:
    """The Inventory objects of an Application."""
    items = lab.kubectl.get("tinv", "-n", lab.namespace)["items"]
    return [item["metadata"]["name"] for item in items if item["spec"]["application"]["name"] == name]


def tear_out(lab: Lab, kind: str, *names: str) -> None:
    """Delete objects against the will of their finalizers."""
    for name in names:
        delete(lab, kind, name)
        patch = json.dumps({"metadata": {"finalizers": None}})
        lab.kubectl.run("patch", kind, name, "-n", lab.namespace, "--type=merge", "-p", patch)
        assert lab.kubectl.run("get", kind, name, "-n", lab.namespace).returncode != 0


def test_a_sync_that_runs_is_ended_by_the_deletion(shared_lab: Lab) -> None:
    lab = shared_lab
    names = [f"cut-{number:03}" for number in range(150)]
    lab.repository("cut", folder(*names))
    lab.application("cut", "cut", "app")
    wait_for(lambda: shards(lab, "cut"), what="a first inventory")
    delete(lab, "tapp", "cut")
    gone(lab, "cut", timeout_seconds=40)
    left = lab.kubectl.get("configmap", "-n", lab.namespace)["items"]
    assert not [item for item in left if item["metadata"]["name"].startswith("cut-")]


def test_without_its_source_an_application_still_ends(shared_lab: Lab) -> None:
    lab = shared_lab
    repository = lab.repository("sourceless", folder("sourceless"))
    lab.application("sourceless", "sourceless", "app")
    lab.wait_applied("sourceless", repository.sha())
    lab.server.stop()
    try:
        delete(lab, "tgit", "sourceless")
        delete(lab, "tapp", "sourceless")
        gone(lab, "sourceless")
    finally:
        lab.server.start()
    assert value(lab, "sourceless") is None


def test_an_application_that_never_worked_ends_too(shared_lab: Lab) -> None:
    lab = shared_lab
    lab.application("hopeless", "no-such-repository", "app")
    wait_for(lambda: lab.condition("hopeless", "Ready"), what="a condition")
    delete(lab, "tapp", "hopeless")
    gone(lab, "hopeless")
    assert shards(lab, "hopeless") == []


def test_orphans_lose_our_marks_and_stay(shared_lab: Lab) -> None:
    lab = shared_lab
    repository = lab.repository("orphan", folder("orphan"))
    lab.application("orphan", "orphan", "app", deletionPolicy="Orphan")
    lab.wait_applied("orphan", repository.sha())
    before = uid(lab, "configmap", "orphan")
    delete(lab, "tapp", "orphan")
    gone(lab, "orphan")
    assert uid(lab, "configmap", "orphan") == before
    metadata = lab.kubectl.get("configmap", "orphan", "-n", lab.namespace)["metadata"]
    assert BUCKET_LABEL not in metadata.get("labels", {})
    assert OWNER_ANNOTATION not in metadata.get("annotations", {})


def test_an_object_with_a_finalizer_of_others_holds_nobody(shared_lab: Lab) -> None:
    lab = shared_lab
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.org/hold"]}}
    repository = lab.repository("held", {"app/held.yaml": json.dumps(held), **folder("held-not")})
    lab.application("held", "held", "app", timeout="4s")
    lab.wait_applied("held", repository.sha())
    delete(lab, "tapp", "held")
    gone(lab, "held")
    assert value(lab, "held-not") is None
    assert lab.kubectl.get("configmap", "held", "-n", lab.namespace)["metadata"]["deletionTimestamp"]
    tear_out(lab, "configmap", "held")


@pytest.mark.parametrize("name", ["lost-live", "lost-down"])
def test_a_lost_inventory_is_found_again_by_the_marks(shared_lab: Lab, name: str) -> None:
    lab, other = shared_lab, f"{name}-other"
    repository = lab.repository(name, folder(name, f"{name}-left", f"{name}-kept"))
    neighbour = lab.repository(other, folder(other))
    lab.application(name, name, "app")
    lab.application(other, other, "app")
    lab.wait_applied(name, repository.sha())
    lab.wait_applied(other, neighbour.sha())
    before = uid(lab, "configmap", f"{name}-kept")
    if name == "lost-down":
        lab.controller.kill()
    tear_out(lab, "tinv", *shards(lab, name))
    pruned = repository.delete(f"app/{name}-left.yaml")
    if name == "lost-down":
        lab.controller.start()
    lab.poke(name)
    lab.wait_applied(name, pruned)
    assert value(lab, f"{name}-left") is None
    assert value(lab, other) == "declared"
    assert uid(lab, "configmap", f"{name}-kept") == before
    known = [lab.kubectl.get("tinv", each, "-n", lab.namespace) for each in shards(lab, name)]
    entries = {entry["key"].split("|")[-1]: entry["state"] for each in known for entry in each["spec"]["entries"]}
    assert entries == {name: "Applied", f"{name}-kept": "Applied"}
    delete(lab, "tapp", name)
    gone(lab, name)
    assert value(lab, name) is None


def test_a_shard_that_somebody_deletes_is_replaced(shared_lab: Lab) -> None:
    lab = shared_lab
    repository = lab.repository("shard", folder("shard"))
    lab.application("shard", "shard", "app")
    lab.wait_applied("shard", repository.sha())
    delete(lab, "tinv", *shards(lab, "shard"))
    newer = repository.commit(folder("shard", "shard-too"))
    lab.poke("shard")
    lab.wait_applied("shard", newer)
    wait_for(lambda: len(shards(lab, "shard")) == 1, what="one shard")
    body = lab.kubectl.get("tinv", shards(lab, "shard")[0], "-n", lab.namespace)
    assert "deletionTimestamp" not in body["metadata"]
    assert len(body["spec"]["entries"]) == 2


def test_a_created_namespace_comes_back_with_all_in_it(shared_lab: Lab) -> None:
    lab, target = shared_lab, f"{shared_lab.namespace}-made"
    repository = lab.repository("made", folder("made"))
    lab.application("made", "made", "app", targetNamespace=target, createNamespace=True)
    lab.wait_applied("made", repository.sha())
    before = uid(lab, "namespace", target)
    lab.kubectl("delete", "namespace", target, "--wait=false")
    # Until it goes, all in it is as it was: the server takes its time.
    wait_for(lambda: _lives_anew(lab, target, before), what="another namespace of that name")
    wait_value(lab, "made", "declared", namespace=target)
    lab.wait_condition("made", "Ready")
    heals(lab, "made", namespace=target)


def _lives_anew(lab: Lab, namespace: str, uid_before: str) -> bool:
    found = lab.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
    return found not in ("", uid_before)


def test_a_namespace_of_others_that_goes_is_missed_until_it_is_back(shared_lab: Lab) -> None:
    lab, target = shared_lab, f"{shared_lab.namespace}-given"
    lab.kubectl("create", "namespace", target)
    repository = lab.repository("given", folder("given"))
    lab.application("given", "given", "app", targetNamespace=target, interval="3s")
    lab.wait_applied("given", repository.sha())
    lab.kubectl("delete", "namespace", target, "--timeout=40s")
    # While it still goes, the server has another story to tell.
    wait_for(
        lambda: "createNamespace" in lab.condition("given", "Ready")["message"],
        what=f"the remedy (told is {lab.condition('given', 'Ready')})",
    )
    failed = lab.wait_condition("given", "Ready", "False")
    assert target in failed["message"]
    lab.kubectl("create", "namespace", target)
    wait_value(lab, "given", "declared", namespace=target)
    lab.wait_condition("given", "Ready")


@pytest.fixture
def doomed(cluster: Cluster, tmp_path) -> Iterator[Lab]:
    """A lab of one test's own, for what cannot be mended."""
    lab = make_lab(cluster, tmp_path)
    lab.controller.start()
    yield lab
    close_lab(lab)


def test_the_instance_may_be_lost(doomed: Lab) -> None:
    lab = doomed
    repository = lab.repository("shop", folder("web", "worker"))
    lab.application("shop", "shop", "app")
    lab.wait_applied("shop", repository.sha())
    before = uid(lab, "configmap", "web")
    for kinds in (("secret",), ("secret", "configmap")):
        for kind in kinds:
            delete(lab, kind, "trimtab-instance")
        heals(lab, "worker")
        lab.controller.stop()
        lab.controller.start()
        wait_for(lambda: lab.kubectl.run("get", "secret", "trimtab-instance", "-n", lab.namespace).returncode == 0)
        heals(lab, "worker", timeout_seconds=25)
        assert uid(lab, "configmap", "web") == before
        pruned = repository.commit({"app/late.yaml": config_map("late", value="declared")})
        lab.poke("shop")
        lab.wait_applied("shop", pruned)
        pruned = repository.delete("app/late.yaml")
        lab.poke("shop")
        lab.wait_applied("shop", pruned)
        assert value(lab, "late") is None
        drift = lab.status("shop").get("drift", [])
        assert {item["object"].rpartition("/")[2] for item in drift} <= {"worker"}, "nothing else was touched by anyone"


def test_where_our_own_namespace_goes_nothing_is_pruned(doomed: Lab) -> None:
    lab, target = doomed, f"{doomed.namespace}-elsewhere"
    lab.kubectl("create", "namespace", target)
    repository = lab.repository("shop", folder("web"))
    lab.application("shop", "shop", "app", targetNamespace=target)
    lab.wait_applied("shop", repository.sha())
    before = uid(lab, "configmap", "web", namespace=target)
    lab.kubectl("delete", "namespace", lab.namespace, "--wait=false")
    wait_for(
        lambda: lab.kubectl.run("get", "namespace", lab.namespace).returncode != 0,
        timeout_seconds=40,
        what=f"the end of the namespace\n{lab.controller.log()[-2000:]}",
    )
    time.sleep(1)
    assert uid(lab, "configmap", "web", namespace=target) == before
    lab.kubectl("delete", "namespace", target, "--wait=false")
