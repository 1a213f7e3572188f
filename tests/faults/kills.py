"""A controller killed at random points of a first sync and of a prune, again and again.

A lab whose controller does not run flows in, with chance; every rule that is broken raises AssertionError. The fault
tests take a few rounds of it, the campaign as many as it is asked for.
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fixtures.lab import Lab

from trimtab.adapters.git.bare_repository import BareRepository
from trimtab.localcluster import ClusterError

OBJECTS = 40
LONGEST_SECONDS = 120.0
_NOT_OURS = ("kube-root-ca.crt", "trimtab-instance")


def config_maps(count: int, value: str = "1") -> dict[str, str | bytes]:
    """A folder of ConfigMaps, ten to a file, and one that stays."""
    names = [f"part-{number:03}" for number in range(count)]
    files: dict[str, str | bytes] = {
        f"app/part-{start:03}.yaml": "\n---\n".join(_config_map(name, value) for name in names[start : start + 10])
        for start in range(0, count, 10)
    }
    files["app/keep.yaml"] = _config_map("anchor", value)
    return files


def _config_map(name: str, value: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})


def names(lab: Lab) -> set[str]:
    """The ConfigMaps of the lab's namespace that were made or declared."""
    found = lab.cluster.client.get(f"/api/v1/namespaces/{lab.namespace}/configmaps")["items"]
    return {item["metadata"]["name"] for item in found}.difference(_NOT_OURS)


def inventory(lab: Lab) -> dict[str, str]:
    """Object name → state, over all shards."""
    shards = lab.cluster.client.get(f"/apis/trimtab.dev/v1alpha1/namespaces/{lab.namespace}/inventories")["items"]
    return {entry["key"].split("|")[-1]: entry["state"] for shard in shards for entry in shard["spec"]["entries"]}


@dataclass
class Kills:
    """`first_sync` and `prune` are one kill each; `points` tells how far the work had come at each of them."""

    lab: Lab
    chance: random.Random
    points: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repository: BareRepository = self.lab.repository("many", config_maps(OBJECTS))

    def first_sync(self) -> None:
        """Killed while everything is made: what exists was on record before, and afterwards everything is there."""
        lab, wanted = self.lab, self.chance.randint(0, OBJECTS)
        lab.application("many", "many", "app")
        lab.controller.start(ready=False)
        self._until(lambda: len(names(lab)) >= max(wanted, 1) or (wanted == 0 and len(inventory(lab)) > 0))
        lab.controller.kill()
        created, known = names(lab), inventory(lab)
        self.points.append(len(created))
        assert created <= known.keys(), f"not on record: {sorted(created - known.keys())}"
        lab.controller.start()
        lab.wait_applied("many", self.repository.sha())
        assert names(lab) == config_names() | {"anchor"}
        assert set(inventory(lab).values()) == {"Applied"}
        lab.kubectl("delete", "tapp", "many", "-n", lab.namespace, "--timeout=60s")
        assert not names(lab), "something is orphaned"
        assert not inventory(lab), "an Inventory outlived its Application"
        lab.controller.kill()

    def plant_strangers(self) -> None:
        """Sync once, and put one object of somebody else and one that copies all marks of ours beside it."""
        lab = self.lab
        lab.application("many", "many", "app")
        lab.controller.start()
        lab.wait_applied("many", self.repository.sha())
        ours = lab.kubectl.get("configmap", "part-000", "-n", lab.namespace)["metadata"]
        marks = {"labels": ours["labels"], "annotations": ours["annotations"]}
        for name, extra in (("stranger", {}), ("copycat", marks)):
            metadata = {"name": name, **extra}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mine": "yes"}}
            lab.kubectl("create", "-n", lab.namespace, "-f", "-", stdin=json.dumps(body))

    def prune(self) -> None:
        """Killed while almost everything is pruned: afterwards all of that is gone, and nothing of others."""
        lab, left = self.lab, self.chance.randint(0, OBJECTS - 1)
        pruned = self.repository.delete(*(name for name in config_maps(OBJECTS) if name != "app/keep.yaml"))
        lab.poke("many")
        self._until(lambda: len(names(lab) & config_names()) <= left)
        lab.controller.kill()
        self.points.append(OBJECTS - len(names(lab) & config_names()))
        lab.controller.start()
        lab.wait_applied("many", pruned)
        assert names(lab) == {"anchor", "stranger", "copycat"}
        assert inventory(lab) == {"anchor": "Applied"}
        restored = self.repository.commit(config_maps(OBJECTS), "Bring it back")
        lab.poke("many")
        lab.wait_applied("many", restored)

    @staticmethod
    def _until(reached: Callable[[], bool]) -> None:
        """As fast as the server answers: the point that was asked for may last a few milliseconds."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            try:
                if reached():
                    return
            except ClusterError:
                continue
        raise AssertionError(f"the point to kill at did not come within {LONGEST_SECONDS:.0f} s")


def config_names() -> set[str]:
    """What `config_maps` declares and a prune takes."""
    return {f"part-{number:03}" for number in range(OBJECTS)}
