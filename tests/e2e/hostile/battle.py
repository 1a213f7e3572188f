"""Lays out all attacks over one controller, has its neighbours go on meanwhile, and keeps what is told of each.

The CRDs are asked first what they refuse; then their rules are taken away, so that the controller has to refuse all of
it by itself, as it must where older CRDs let something in.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.e2e.hostile.attack import CONFIG_MAP, INTERVAL, SHELTER, Answer, Attack, Body, Ground
from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import Lab

from trimtab.api.crd import KINDS, crd
from trimtab.localcluster import Cluster
from trimtab.localcluster.client import ApiFailure

_PLURALS: Final = {
    "GitRepository": "gitrepositories",
    "OCIRepository": "ocirepositories",
    "HelmRepository": "helmrepositories",
    "Application": "applications",
}
_RULES: Final = ("x-kubernetes-validations", "pattern", "maxLength", "minLength", "maxItems", "maxProperties", "enum")
PATIENCE_SECONDS: Final = 1500.0
BATCH: Final = 125


@dataclass
class Neighbour:
    """An honest GitRepository and its Application, of the same controller."""

    lab: Lab
    name: str
    target_namespace: str
    rounds: int = 0

    def __post_init__(self) -> None:
        self.repository = self.lab.repository(self.name, self._files())
        self.lab.application(self.name, self.name, "app", targetNamespace=self.target_namespace)

    def is_ready(self) -> bool:
        """Wait until it is."""
        return self.lab.wait_condition(self.name, "Ready", timeout_seconds=PATIENCE_SECONDS)["status"] == "True"

    def goes_on(self) -> None:
        """A commit is applied, and a hand edit healed, now."""
        self.rounds += 1
        self.repository.commit(self._files())
        self.lab.poke(self.name)
        self._wait("the neighbour's commit")
        edit = '{"data": {"key": "edited"}}'
        self.lab.kubectl("patch", "configmap", self.name, "-n", self.target_namespace, "-p", edit)
        self._wait("the neighbour's healing")

    def _files(self) -> dict[str, str]:
        text = CONFIG_MAP.replace("@name@", self.name).replace("value", f"v{self.rounds}")
        return {"app/a.yaml": text}

    def _wait(self, what: str) -> None:
        def value() -> bool:
            found = self.lab.kubectl.get("configmap", self.name, "-n", self.target_namespace)
            return bool(found["data"]["key"] == f"v{self.rounds}")

        wait_for(value, timeout_seconds=PATIENCE_SECONDS, what=what)


@dataclass
class Battle:
    """What came of it. Conditions are those of type Ready, by the name of the row."""

    lab: Lab
    ground: Ground
    refusals: dict[str, str] = field(default_factory=dict)
    """Of the API server."""
    conditions: dict[str, Body] = field(default_factory=dict)
    rounds_meanwhile: int = 0
    """Of the neighbours, while attacks were not yet answered."""
    seconds: dict[str, float] = field(default_factory=dict)

    def fight(self, attacks: Sequence[Attack]) -> None:
        """All of it."""
        made = {attack.name: list(self._laid(attack)) for attack in attacks}
        shelter = self.ground.server.repository(SHELTER)
        shelter.commit(self.ground.shelter)
        self.lab.declare("GitRepository", SHELTER, {"url": shelter.url, "interval": INTERVAL})
        self._ask_strictly(attacks, made)
        veteran = Neighbour(self.lab, "veteran", self.ground.target_namespace)
        assert veteran.is_ready()
        with without_rules(self.lab.cluster):
            begun, open_rows = time.monotonic(), list[Attack]()
            for first in range(0, len(attacks), BATCH):
                batch = attacks[first : first + BATCH]
                for body in (body for attack in batch for body in made[attack.name]):
                    self._create(body)
                recruit = Neighbour(self.lab, f"recruit-{first}", self.ground.target_namespace)
                open_rows += batch
                veteran.goes_on()
                assert recruit.is_ready()
                open_rows = self._unanswered(open_rows, begun)
                self.rounds_meanwhile += bool(open_rows)
            while open_rows and time.monotonic() - begun < PATIENCE_SECONDS:
                veteran.goes_on()
                open_rows = self._unanswered(open_rows, begun)
                self.rounds_meanwhile += bool(open_rows)

    def _laid(self, attack: Attack) -> Iterator[Body]:
        self.ground.name = attack.name
        yield from attack.lay(self.ground)

    def _ask_strictly(self, attacks: Sequence[Attack], made: dict[str, list[Body]]) -> None:
        for attack in attacks:
            for body in made[attack.name]:
                if body["kind"] != attack.kind:
                    continue
                try:
                    self.lab.cluster.client.request("POST", f"{_path(body)}?dryRun=All", body)
                except ApiFailure as failure:
                    self.refusals[attack.name] = str(failure)

    def _create(self, body: Body) -> None:
        wait_for(lambda: self._created(body), what=f"{body['kind']} {body['metadata']['name']}")

    def _created(self, body: Body) -> bool:
        try:
            self.lab.cluster.client.create(_path(body), body)
        except ApiFailure as failure:
            # The server takes the rules away when it gets to it.
            if failure.status != 422:
                raise
            return False
        return True

    def _unanswered(self, attacks: Sequence[Attack], begun: float) -> list[Attack]:
        shown = {kind: self._shown(plural) for kind, plural in _PLURALS.items()}
        left = []
        for attack in attacks:
            found = shown[attack.kind].get(attack.name, {})
            self.conditions[attack.name] = found
            if is_answered(attack, found):
                self.seconds[attack.name] = time.monotonic() - begun
            else:
                left.append(attack)
        return left

    def _shown(self, plural: str) -> dict[str, Body]:
        path = f"/apis/trimtab.dev/v1alpha1/namespaces/{self.lab.namespace}/{plural}"
        items = self.lab.cluster.client.get(path)["items"]
        return {item["metadata"]["name"]: ready(item) for item in items}


def ready(item: Body) -> Body:
    """The condition Ready of one of our objects; empty before there is one."""
    conditions = item.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})


def is_answered(attack: Attack, condition: Body) -> bool:
    """Whether an attack ended as its row says."""
    if attack.answer is Answer.HARMLESS:
        return bool(condition.get("status") == "True")
    told = (condition.get("status"), condition.get("reason"))
    return told == ("False", attack.reason) and attack.words in condition["message"]


def _path(body: Body) -> str:
    namespace = body["metadata"]["namespace"]
    if body["kind"] == "Secret":
        return f"/api/v1/namespaces/{namespace}/secrets"
    return f"/apis/trimtab.dev/v1alpha1/namespaces/{namespace}/{_PLURALS[body['kind']]}"


@contextmanager
def without_rules(cluster: Cluster) -> Iterator[None]:
    """Our CRDs take whatever has the right types, until the block ends."""
    try:
        for kind in KINDS:
            _put(cluster, kind.crd_name, _loosened(crd(kind)["spec"]))
        yield
    finally:
        for kind in KINDS:
            _put(cluster, kind.crd_name, crd(kind)["spec"])


def _put(cluster: Cluster, name: str, spec: Body) -> None:
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    cluster.client.request("PUT", path, cluster.client.get(path) | {"spec": spec})


def _loosened(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_loosened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # A property may have the name of a rule, and is no text or list then.
    return {key: _loosened(value) for key, value in schema.items() if key not in _RULES or isinstance(value, dict)}
