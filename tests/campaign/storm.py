"""Faults at random around a controller at work: after each round the cluster is as Git and people left it to be.

A cluster and a folder flow in, complaints and times flow out. The controller stands behind a proxy that cuts, freezes
and refuses; Git fails, processes are killed, the API server is restarted, while people commit, edit and delete.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from tests.fixtures.api_proxy import ApiProxy, api_proxy, refusal
from tests.fixtures.git_server import Fault
from tests.fixtures.lab import Lab, make_lab

from trimtab.adapters.git.bare_repository import BareRepository, Content
from trimtab.localcluster import ClusterError, LocalCluster

APPLICATIONS = 3
OBJECTS = 15
"""For each Application, at the start."""
CALM_SECONDS = 90.0
"""In which all must be well again."""
_GIT = (Fault.STALL_BEFORE, Fault.STALL_WITHIN, Fault.CUT_WITHIN, Fault.STATUS_500, Fault.STATUS_401, Fault.GARBLE)


@dataclass
class Weather:
    """What came of a storm. `calm` holds seconds from the end of the faults of each round until all was well."""

    seed: int
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    calm: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def storm(cluster: LocalCluster, folder: Path, seed: int) -> Iterator["Storm"]:
    """A lab of the storm's own, everything applied."""
    with api_proxy(cluster.kubeconfig_path, folder) as proxy:
        flags = ("--watch-idle-seconds=4",)
        lab = make_lab(cluster, folder, flags=flags, kubeconfig=proxy.kubeconfig)
        made = Storm(cluster, lab, proxy, random.Random(seed), Weather(seed))
        try:
            made.begin()
            yield made
        finally:
            proxy.fault(None)
            lab.controller.stop()
            lab.server.stop()


@dataclass
class Storm:
    """Rounds of faults; `declared` is what Git says, `uids` what nobody may have touched."""

    cluster: LocalCluster
    lab: Lab
    proxy: ApiProxy
    chance: random.Random
    weather: Weather
    declared: dict[str, dict[str, str]] = field(default_factory=dict)
    repositories: dict[str, BareRepository] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """Commit, apply, and put somebody else's object beside."""
        for number in range(APPLICATIONS):
            app = f"app-{number}"
            self.declared[app] = {f"{app}-{index:02}": "0" for index in range(OBJECTS)}
            files: dict[str, str | bytes] = {f"app/{name}.yaml": _config_map(name, "0") for name in self.declared[app]}
            self.repositories[app] = self.lab.repository(app, files, interval="1s", timeout="3s")
            self.lab.application(app, app, "app")
        self.cluster.client.create(self._path(), {"metadata": {"name": "stranger"}, "data": {"value": "mine"}})
        self.lab.controller.start()
        self._calm()

    def round(self) -> None:
        """Some faults, deeds of people among them, an end of the faults, and the look at what is left."""
        self.uids = {name: uid for name, (_, uid) in self._live().items()}
        for _ in range(self.chance.randint(1, 3)):
            self._fault()
            for _ in range(self.chance.randint(1, 4)):
                self._deed()
            time.sleep(self.chance.random())
        self._mend()
        self.weather.rounds += 1
        self.weather.calm.append(self._calm())

    # --- faults

    def _fault(self) -> None:
        kinds: dict[str, Callable[[], None]] = {
            "watches and requests cut": self.proxy.cut,
            "connections frozen": self.proxy.freeze,
            "every request 503": lambda: self.proxy.fault(self._refuse(503, 1.0)),
            "half the requests 429": lambda: self.proxy.fault(self._refuse(429, 0.5)),
            "half the requests 500": lambda: self.proxy.fault(self._refuse(500, 0.5)),
            "Git server failing": lambda: self.lab.server.faults.always(self.chance.choice(_GIT)),
            "Git server gone": self.lab.server.stop,
            "controller killed": self._kill,
            "controller told to end": self._end,
            "API server killed": self.cluster.restart_apiserver,
        }
        weights = [4, 3, 2, 2, 2, 3, 2, 3, 1, 1]
        name = self.chance.choices(list(kinds), weights)[0]
        self.weather.faults[name] += 1
        kinds[name]()
        if not self.lab.controller.running:
            self.lab.controller.start(ready=False)

    def _end(self) -> None:
        self.lab.controller.stop()

    def _kill(self) -> None:
        if self.lab.controller.running:
            self.lab.controller.kill()

    def _refuse(self, code: int, share: float) -> Callable[[web.Request], web.Response | None]:
        dice = random.Random(self.chance.random())

        def fault(_request: web.Request) -> web.Response | None:
            return refusal(code, "Refused", retry_after=1 if code == 429 else 0) if dice.random() < share else None

        return fault

    def _mend(self) -> None:
        self.proxy.fault(None)
        self.lab.server.start()
        self.lab.server.faults.never()
        if not self.lab.controller.running:
            self.lab.controller.start(ready=False)

    # --- deeds

    def _deed(self) -> None:
        app = self.chance.choice(sorted(self.declared))
        deed = self.chance.choice([self._commit, self._commit, self._edit, self._delete])
        self.weather.deeds[deed.__name__.strip("_")] += 1
        deed(app)

    def _commit(self, app: str) -> None:
        """Change some files, add one, now and then remove one."""
        wanted, changes = self.declared[app], dict[str, Content]()
        for name in self.chance.sample(sorted(wanted), k=3):
            wanted[name] = str(self.chance.random())
            changes[f"app/{name}.yaml"] = _config_map(name, wanted[name])
        added = f"{app}-{self.chance.randrange(10**6):06}"
        wanted[added] = "0"
        changes[f"app/{added}.yaml"] = _config_map(added, "0")
        if len(wanted) > OBJECTS:
            removed = self.chance.choice(sorted(wanted.keys() - {added}))
            del wanted[removed]
            changes[f"app/{removed}.yaml"] = None
            self.uids.pop(removed, None)
        self.repositories[app].commit(changes)

    def _edit(self, app: str) -> None:
        name = self.chance.choice(sorted(self.declared[app]))
        self._try("PATCH", f"{self._path()}/{name}", {"data": {"value": "edited", "own": "kept"}})

    def _delete(self, app: str) -> None:
        name = self.chance.choice(sorted(self.declared[app]))
        self.uids.pop(name, None)
        self._try("DELETE", f"{self._path()}/{name}")

    def _try(self, method: str, path: str, body: object = None) -> None:
        """An object may not have been made yet."""
        try:
            self.cluster.client.request(method, path, body, media_type="application/merge-patch+json")
        except ClusterError:
            self.weather.deeds["of which had nothing to meet"] += 1

    # --- what is left

    def _calm(self) -> float:
        started = time.monotonic()
        while left := self._left():
            if time.monotonic() - started > CALM_SECONDS:
                self.weather.complaints.append(f"round {self.weather.rounds}: {left}")
                break
            time.sleep(0.1)
        touched = [name for name, (_, uid) in self._live().items() if self.uids.get(name, uid) != uid]
        lost = sorted(self.uids.keys() - self._live().keys())
        if touched or lost:
            self.weather.complaints.append(f"round {self.weather.rounds}: made anew {touched}, deleted {lost}")
        return time.monotonic() - started

    def _left(self) -> str:
        """What is not as it should be yet."""
        wanted = {name: text for objects in self.declared.values() for name, text in objects.items()}
        live = {name: text for name, (text, _) in self._live().items()}
        if live.pop("stranger", "") != "mine":
            return "the stranger's object was touched"
        if live != wanted:
            wrong = sorted(name for name in live.keys() | wanted.keys() if live.get(name) != wanted.get(name))
            return f"{len(wrong)} objects are not as declared, {wrong[0]} is {live.get(wrong[0])}"
        for app, repository in self.repositories.items():
            ready, applied = self.lab.condition(app, "Ready"), self.lab.status(app).get("lastAppliedRevision", "")
            if ready.get("status") != "True" or not applied.endswith(repository.sha()):
                return f"{app} is not Ready at {repository.sha()[:8]}: {ready.get('message')}"
        return ""

    def _live(self) -> dict[str, tuple[str, str]]:
        """Value and UID of each ConfigMap."""
        items = self.cluster.client.get(self._path())["items"]
        found = {item["metadata"]["name"]: item for item in items}
        return {
            name: (item["data"].get("value", ""), item["metadata"]["uid"])
            for name, item in found.items()
            if name not in ("kube-root-ca.crt", "trimtab-instance")
        }

    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.lab.namespace}/configmaps"


def _config_map(name: str, value: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})
