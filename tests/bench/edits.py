"""Edits by hand of declared fields, as kubectl sends them, and how to see that each was undone.

Systems and a seed flow in; edits flow out, no two of one object, spread over Applications and kinds.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.workload import SEED, Body, System, path_of

_STRATEGIC: Final = "application/strategic-merge-patch+json"
_MERGE: Final = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Edit:
    """A patch of one declared field; `read` takes that field out of a live object, `declared` is what Git says."""

    body: Body
    what: str
    media_type: str
    patch: Body
    read: Callable[[Body], Any]

    @property
    def path(self) -> str:
        """The object's path."""
        return f"/{path_of(self.body)}"

    @property
    def declared(self) -> Any:
        """What stands in Git."""
        return self.read(self.body)


def edits(systems: list[System], count: int, *, seed: int = SEED) -> list[Edit]:
    """`count` edits; equal arguments give equal edits."""
    chance = random.Random(seed)
    found = []
    for system in systems:
        editable = [body for body in system.bodies if body["kind"] in _EDITS]
        chance.shuffle(editable)
        found.append([_EDITS[body["kind"]](body) for body in editable])
    # One Application after the other, as if people all over the house did it.
    return [found[index % len(found)][index // len(found)] for index in range(count)]


def _setting(body: Body) -> Edit:
    name = next(iter(body["data"]))
    return Edit(body, f"data.{name}", _MERGE, {"data": {name: "edited"}}, lambda live: live["data"].get(name))


def _secret(body: Body) -> Edit:
    return Edit(body, "data.token", _MERGE, {"data": {"token": "ZWRpdGVk"}}, lambda live: live["data"].get("token"))


def _image(body: Body) -> Edit:
    container = {"name": "main", "image": "registry.example/other:2"}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    return Edit(
        body, "image", _STRATEGIC, patch, lambda live: live["spec"]["template"]["spec"]["containers"][0]["image"]
    )


def _port(body: Body) -> Edit:
    patch = {"spec": {"ports": [{"port": 80, "targetPort": 1234}]}}
    return Edit(body, "targetPort", _STRATEGIC, patch, lambda live: live["spec"]["ports"][0]["targetPort"])


def _label(body: Body) -> Edit:
    name = "app.kubernetes.io/part-of"
    patch = {"metadata": {"labels": {name: "edited"}}}
    return Edit(body, f"labels.{name}", _MERGE, patch, lambda live: live["metadata"]["labels"].get(name))


def _rules(body: Body) -> Edit:
    return Edit(body, "rules", _MERGE, {"rules": []}, lambda live: live.get("rules"))


_EDITS: Final[dict[str, Callable[[Body], Edit]]] = {
    "ConfigMap": _setting,
    "Secret": _secret,
    "Deployment": _image,
    "Service": _port,
    "ServiceAccount": _label,
    "NetworkPolicy": _label,
    "Role": _rules,
}
