"""Nothing of others is deleted: not by an Application that moves or goes, not by forged Inventories."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fixtures.cluster import Kubectl, wait_for
from tests.fixtures.lab import Lab

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: value}}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"


@pytest.fixture
def places(lab: Lab, kubectl: Kubectl) -> Iterator[tuple[str, str]]:
    """Names of two namespaces, deleted in the background afterwards."""
    names = f"{lab.namespace}-a", f"{lab.namespace}-b"
    yield names
    kubectl.run("delete", "namespace", *names, "--ignore-not-found", "--wait=false")


def exists(kubectl: Kubectl, *what: str) -> bool:
    """Whether an object is there and not on its way out."""
    done = kubectl.run("get", *what, "-o", "json", "--ignore-not-found")
    assert done.returncode == 0, done.stderr
    return bool(done.stdout.strip()) and "deletionTimestamp" not in json.loads(done.stdout)["metadata"]


def gone(kubectl: Kubectl, *what: str) -> bool:
    """Whether there is no such object any more."""
    return not kubectl.run("get", *what, "-o", "name", "--ignore-not-found").stdout.strip()


def test_a_namespace_made_on_request_stays_when_another_one_is_asked_for(lab: Lab, kubectl: Kubectl, places):
    old, new = places
    commit = lab.repository("shop", {"app/web.yaml": CONFIG_MAP.format(name="web")}).sha()
    lab.application("shop", "shop", "app", targetNamespace=old, createNamespace=True)
    lab.wait_applied("shop", commit)
    kubectl("create", "configmap", "of-somebody-else", "-n", old)

    lab.application("shop", "shop", "app", targetNamespace=new, createNamespace=True)

    wait_for(lambda: exists(kubectl, "configmap", "web", "-n", new), what="the move")
    wait_for(lambda: gone(kubectl, "configmap", "web", "-n", old), what="the prune")
    lab.kubectl("delete", "tapp", "shop", "-n", lab.namespace, "--timeout=90s")
    assert exists(kubectl, "namespace", old)
    assert exists(kubectl, "namespace", new)
    assert exists(kubectl, "configmap", "of-somebody-else", "-n", old)


def test_a_namespace_stays_as_long_as_a_suspended_neighbour_holds_something_in_it(lab: Lab, kubectl: Kubectl, places):
    shared, _ = places
    files = {"space/namespace.yaml": NAMESPACE.format(name=shared), "app/web.yaml": CONFIG_MAP.format(name="web")}
    commit = lab.repository("shop", files).sha()
    lab.application("space", "shop", "space")
    lab.wait_applied("space", commit)
    lab.application("guest", "shop", "app", targetNamespace=shared)
    lab.wait_applied("guest", commit)
    lab.application("guest", "shop", "app", targetNamespace=shared, suspend=True)
    lab.controller.stop()
    lab.controller.start()

    lab.kubectl("delete", "tapp", "space", "-n", lab.namespace, "--timeout=90s")

    assert exists(kubectl, "namespace", shared)
    assert exists(kubectl, "configmap", "web", "-n", shared)


def test_entries_forged_into_an_inventory_delete_nothing(lab: Lab, kubectl: Kubectl, places):
    target, elsewhere = places
    kubectl("create", "namespace", elsewhere)
    kubectl("create", "configmap", "bait", "-n", elsewhere)
    files = {"app/web.yaml": CONFIG_MAP.format(name="web"), "app/old.yaml": CONFIG_MAP.format(name="old")}
    repository = lab.repository("shop", dict(files))
    lab.application("shop", "shop", "app", targetNamespace=target, createNamespace=True, adopt="Never")
    lab.wait_applied("shop", repository.sha())
    kubectl("create", "configmap", "declared", "-n", target)
    lab.controller.stop()
    _forge(
        lab,
        _entry("ConfigMap", elsewhere, "bait", kubectl.get("configmap", "bait", "-n", elsewhere)),
        _entry("ConfigMap", target, "declared", kubectl.get("configmap", "declared", "-n", target)),
        _entry("Namespace", "", elsewhere, kubectl.get("namespace", elsewhere)),
        _entry("ConfigMap", "kube-system", "extension-apiserver-authentication", None),
    )
    lab.controller.start()

    repository.commit(
        {
            "app/web.yaml": files["app/web.yaml"],
            "app/old.yaml": None,
            "app/declared.yaml": CONFIG_MAP.format(name="declared"),
        }
    )
    lab.poke("shop")

    refused = lab.wait_condition("shop", "Ready", "False")
    assert "exists already" in refused["message"], "a forged entry is no permission to adopt"
    wait_for(lambda: gone(kubectl, "configmap", "old", "-n", target), what="the prune of what is ours")
    wait_for(lambda: _keys(lab) <= {"web", "declared", target}, what="the end of what was forged")
    for name, namespace in (("bait", elsewhere), ("declared", target)):
        assert exists(kubectl, "configmap", name, "-n", namespace)
        assert "data" not in kubectl.get("configmap", name, "-n", namespace)
    assert exists(kubectl, "namespace", elsewhere)
    assert exists(kubectl, "configmap", "extension-apiserver-authentication", "-n", "kube-system")


def test_an_inventory_with_keys_that_are_other_paths_is_written_anew(lab: Lab, kubectl: Kubectl, places):
    target, _ = places
    repository = lab.repository("shop", {"app/web.yaml": CONFIG_MAP.format(name="web")})
    lab.application("shop", "shop", "app", targetNamespace=target, createNamespace=True)
    lab.wait_applied("shop", repository.sha())
    lab.controller.stop()
    _forge(lab, _entry("Pod", "kube-system", "../../../../api/v1/namespaces", None), shards=1024)
    lab.controller.start()

    commit = repository.commit({"app/more.yaml": CONFIG_MAP.format(name="more")})
    lab.poke("shop")

    lab.wait_applied("shop", commit)
    assert _keys(lab) == {"web", "more", target}


def _entry(kind: str, namespace: str, name: str, live: dict[str, Any] | None) -> dict[str, Any]:
    """What the controller would have written of the object, had it applied it."""
    entry = {"key": f"local||{kind}|{namespace}|{name}", "version": "v1", "state": "Intended"}
    if live is None:
        return entry
    digests = {"baseline": "b1:" + "0" * 64, "declared": "d1:" + "0" * 64, "seal": "0" * 32}
    return entry | {"state": "Applied", "uid": live["metadata"]["uid"]} | digests


def _forge(lab: Lab, *entries: dict[str, Any], shards: int = 1) -> None:
    (shard,) = lab.kubectl.get("tinv", "-n", lab.namespace)["items"]
    shard["spec"]["entries"] += entries
    shard["spec"]["shards"] = shards
    lab.kubectl("replace", "-f", "-", stdin=json.dumps(shard))


def _keys(lab: Lab) -> set[str]:
    """The names of all objects that the inventories hold."""
    shards = lab.kubectl.get("tinv", "-n", lab.namespace)["items"]
    return {entry["key"].rpartition("|")[2] for shard in shards for entry in shard["spec"].get("entries", ())}
