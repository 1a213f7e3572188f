"""kill -9 at random points of a first sync and of a prune: after the restart all is converged, nothing orphaned.

Objects of others stand beside ours in the same namespace, with our bucket label copied: none of them may go.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import Lab, close_lab, make_lab

from trimtab.localcluster import Cluster

OBJECTS = 40
KILLS = int(os.environ.get("TRIMTAB_KILLS", "4"))
"""Kills of each kind; the campaign takes more."""
SEED = int(os.environ.get("TRIMTAB_SEED", "20"))


def config_maps(count: int, value: str = "1") -> dict[str, str | bytes]:
    """A folder of ConfigMaps with a Namespace-free identity, ten to a file."""
    files: dict[str, str | bytes] = {}
    for start in range(0, count, 10):
        documents = [
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"part-{number:03}"},
                    "data": {"value": value},
                }
            )
            for number in range(start, min(start + 10, count))
        ]
        files[f"app/part-{start:03}.yaml"] = "\n---\n".join(documents)
    files["app/keep.yaml"] = json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "anchor"}, "data": {}}
    )
    return files


@pytest.fixture
def quiet_lab(cluster: Cluster, tmp_path: Path) -> Iterator[Lab]:
    """A lab whose controller the test starts itself."""
    lab = make_lab(cluster, tmp_path)
    yield lab
    if not lab.controller.running:
        lab.controller.start()
    close_lab(lab)


def names(lab: Lab) -> set[str]:
    """The ConfigMaps of the lab's namespace that tests made or declared."""
    found = lab.kubectl.get("configmap", "-n", lab.namespace)["items"]
    return {item["metadata"]["name"] for item in found} - {"kube-root-ca.crt", "trimtab-instance"}


def inventory(lab: Lab) -> dict[str, str]:
    """Object key → state over all shards."""
    shards = lab.kubectl.get("tinv", "-n", lab.namespace)["items"]
    return {entry["key"]: entry["state"] for shard in shards for entry in shard["spec"].get("entries", [])}


def test_a_first_sync_survives_any_kill(quiet_lab: Lab) -> None:
    lab, chance = quiet_lab, random.Random(SEED)
    repository = lab.repository("many", config_maps(OBJECTS))
    for _ in range(KILLS):
        lab.application("many", "many", "app")
        lab.controller.start(ready=False)
        wait_for(lambda: len(inventory(lab)) > 0, timeout_seconds=30, what="a first inventory entry")
        time.sleep(chance.random() * 0.4)
        lab.controller.kill()
        created, known = names(lab), inventory(lab)
        assert {name for name in created if name != "stranger"} <= {key.split("|")[-1] for key in known}, (
            "whatever exists was on record before"
        )
        lab.controller.start()
        lab.wait_applied("many", repository.sha())
        assert names(lab) >= {f"part-{number:03}" for number in range(OBJECTS)}
        assert set(inventory(lab).values()) == {"Applied"}
        lab.kubectl("delete", "tapp", "many", "-n", lab.namespace, "--timeout=60s")
        assert not {name for name in names(lab) if name.startswith("part-")}, "nothing is orphaned"
        lab.controller.kill()


def test_a_prune_survives_any_kill_and_takes_nothing_of_others(quiet_lab: Lab) -> None:
    lab, chance = quiet_lab, random.Random(SEED + 1)
    repository = lab.repository("many", config_maps(OBJECTS))
    lab.application("many", "many", "app")
    lab.controller.start()
    lab.wait_applied("many", repository.sha())
    plant_strangers(lab)
    for _ in range(KILLS):
        gone = {name: None for name in config_maps(OBJECTS) if name != "app/keep.yaml"}
        pruned = repository.commit(gone, "Remove almost everything")
        lab.poke("many")
        wait_for(lambda: len(names(lab)) < OBJECTS, timeout_seconds=30, what="the first deletion")
        time.sleep(chance.random() * 0.2)
        lab.controller.kill()
        lab.controller.start()
        lab.wait_applied("many", pruned)
        assert names(lab) == {"anchor", "stranger", "copycat"}
        assert {key.split("|")[-1] for key in inventory(lab)} == {"anchor"}
        restored = repository.commit(config_maps(OBJECTS), "Bring it back")
        lab.poke("many")
        lab.wait_applied("many", restored)


def plant_strangers(lab: Lab) -> None:
    """One object of somebody else, and one that copies all marks of an object of ours."""
    ours = lab.kubectl.get("configmap", "part-000", "-n", lab.namespace)["metadata"]
    marks = {"labels": ours["labels"], "annotations": ours["annotations"]}
    for name, extra in (("stranger", {}), ("copycat", marks)):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **extra}, "data": {"mine": "yes"}}
        lab.kubectl("create", "-n", lab.namespace, "-f", "-", stdin=json.dumps(body))
