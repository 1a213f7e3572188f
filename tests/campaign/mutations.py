"""The generator: random changes of live objects, as people, tools and other controllers make them.

A live object and a seeded source of randomness flow in, a request to the API server flows out. What it does to the
declared fields is not known here: the oracle reads that off the server's answer.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, Final

from tests.campaign.owned import ABSENT, Member, Pointer, ours

MERGE: Final = "application/merge-patch+json"
JSON: Final = "application/json-patch+json"
APPLY: Final = "application/apply-patch+yaml"

MANAGERS: Final = ("kubectl-patch", "kubectl-edit", "mallory", "some-operator", "Go-http-client")


class Kind(StrEnum):
    """What is done to an object."""

    SET = "another value"
    REMOVE = "field removed"
    ADD = "undeclared added"
    DELETE = "object deleted"
    REPLACE = "object replaced"
    TAKE = "applied by another manager"
    SAME = "same value by another manager"
    SCALE = "scaled"


_WEIGHTS: Final = {
    Kind.SET: 8,
    Kind.REMOVE: 5,
    Kind.ADD: 3,
    Kind.DELETE: 2,
    Kind.REPLACE: 3,
    Kind.TAKE: 3,
    Kind.SAME: 1,
    Kind.SCALE: 1,
}
_UNDELETABLE: Final = frozenset({"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim"})
"""What takes other objects along, or does not come back the same."""
_SCALABLE: Final = frozenset({"Deployment", "StatefulSet"})
_WORDS: Final = {
    "ClusterIP": "NodePort",
    "TCP": "UDP",
    "IfNotPresent": "Always",
    "Always": "IfNotPresent",
    "RollingUpdate": "OnDelete",
    "RuntimeDefault": "Unconfined",
    "File": "FallbackToLogsOnError",
    "Cluster": "Local",
    "Utilization": "AverageValue",
}
"""Enumerations, of which another member is more likely taken than anything else."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A request. `added` is where something undeclared was put, for which nothing may be told."""

    kind: Kind
    method: str
    path: str
    body: Any
    media_type: str = "application/json"
    what: str = ""
    added: Pointer = field(default=())


def mutate(live: Mapping[str, Any], path: str, chance: Random) -> Mutation | None:
    """A random change of an object that stands at an URL path; None where the kind that was drawn does not fit it."""
    kind = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    manager = chance.choice(MANAGERS)
    query = f"{path}?fieldManager={manager}"
    owned = sorted(ours(live).values(), key=lambda each: each.text)
    match kind:
        case Kind.SET:
            return _set(_leaf(owned, chance), query, chance)
        case Kind.REMOVE:
            return _remove(_anything(owned, chance), query)
        case Kind.ADD:
            return _add(live, query, chance)
        case Kind.DELETE:
            if live["kind"] in _UNDELETABLE:
                return None
            return Mutation(kind, "DELETE", path, {"propagationPolicy": "Background"})
        case Kind.REPLACE:
            return _replace(live, owned, f"{path}?fieldManager=kubectl-replace", chance)
        case Kind.TAKE:
            return _take(live, _leaf(owned, chance), path, chance)
        case Kind.SAME:
            return _same(live, _leaf(owned, chance), path)
        case Kind.SCALE:
            return _scale(live, path, chance)


def _leaf(owned: list[Member], chance: Random) -> Member:
    # Names of fields repeat in large objects: the first choice is a field's name, so that rare ones get their turn.
    leaves = [each for each in owned if not each.inner and each.value is not ABSENT]
    unmarked = [each for each in leaves if "trimtab.dev/" not in each.text]
    leaves = unmarked if unmarked and chance.random() < 0.8 else leaves
    name = chance.choice(sorted({each.steps[-1] for each in leaves}))
    return chance.choice([each for each in leaves if each.steps[-1] == name])


def _anything(owned: list[Member], chance: Random) -> Member:
    standing = [each for each in owned if each.value is not ABSENT]
    items = [each for each in standing if each.inner]
    return chance.choice(items) if items and chance.random() < 0.4 else _leaf(standing, chance)


def _pointer(pointer: Pointer) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in pointer)


def other_value(value: Any, chance: Random) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + chance.choice((1, 2, 10))
        case str():
            return _WORDS.get(value) or chance.choice((f"{value}x", "changed", f"{value}-2", "17"))
        case list():
            return [*value, copy.deepcopy(value[-1])] if value and chance.random() < 0.5 else value[:-1]
        case dict():
            return {**value, "changed": "yes"}
    return "changed"


def _set(member: Member, query: str, chance: Random) -> Mutation:
    value = other_value(member.value, chance)
    operation = {"op": "replace", "path": _pointer(member.pointer), "value": value}
    return Mutation(Kind.SET, "PATCH", query, [operation], JSON, member.text)


def _remove(member: Member, query: str) -> Mutation:
    operation = {"op": "remove", "path": _pointer(member.pointer)}
    return Mutation(Kind.REMOVE, "PATCH", query, [operation], JSON, member.text)


def _add(live: Mapping[str, Any], query: str, chance: Random) -> Mutation:
    """Something undeclared beside something declared."""
    name = f"added-{chance.randrange(10**6)}"
    places: list[tuple[Pointer, Any]] = [
        (("metadata", "labels", name), "yes"),
        (("metadata", "annotations", f"example.org/{name}"), "yes"),
    ]
    if isinstance(live.get("data"), dict):
        places.append((("data", name), "eWVz"))
    template = (live.get("spec") or {}).get("template") if live["kind"] in (*_SCALABLE, "DaemonSet") else None
    if template:
        pod: Pointer = ("spec", "template", "spec")
        places.append(((*pod, "nodeSelector", "example.org/added"), "yes"))
        if "env" in template["spec"]["containers"][0]:
            places.append(((*pod, "containers", 0, "env", "-"), {"name": name.upper().replace("-", "_"), "value": "1"}))
        places.append(((*pod, "containers", "-"), {"name": name, "image": "registry.example/added:1"}))
    where, value = chance.choice(places)
    operations = [{"op": "add", "path": _pointer(where), "value": value}]
    parent = where[:-1]
    if _at(live, parent) is ABSENT:
        operations.insert(0, {"op": "add", "path": _pointer(parent), "value": {}})
    return Mutation(Kind.ADD, "PATCH", query, operations, JSON, ".".join(map(str, where)), where)


def _at(body: Any, pointer: Pointer) -> Any:
    for step in pointer:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return body


def _replace(live: Mapping[str, Any], owned: list[Member], query: str, chance: Random) -> Mutation:
    """The whole object with up to three declared values changed and a label more, as an editor would send it."""
    body = copy.deepcopy(dict(live))
    body["metadata"].pop("managedFields", None)
    body["metadata"].setdefault("labels", {})["replaced"] = "yes"
    changed = []
    for _ in range(chance.randint(1, 3)):
        member = _leaf(owned, chance)
        parent = _at(body, member.pointer[:-1])
        if parent is not ABSENT and _at(body, member.pointer) is not ABSENT and member.text not in changed:
            parent[member.pointer[-1]] = other_value(member.value, chance)
            changed.append(member.text)
    return Mutation(Kind.REPLACE, "PUT", query, body, what=", ".join(changed))


def _applied(live: Mapping[str, Any], member: Member, value: Any) -> dict[str, Any]:
    """The least body that declares one value: what leads to it, and the keys of list items on the way."""
    body: dict[str, Any] = {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {"name": live["metadata"]["name"]},
    }
    if "namespace" in live["metadata"]:
        body["metadata"]["namespace"] = live["metadata"]["namespace"]
    here: Any = body
    origin: Any = live
    for depth, (name, place) in enumerate(zip(member.steps, member.pointer, strict=True)):
        origin = origin[place]
        last = depth == len(member.steps) - 1
        following = member.steps[depth + 1][0] if not last else ""
        inner: Any = value if last else ([] if following in "kv" else {})
        if isinstance(here, list):
            if name.startswith("k:"):
                inner = {**_keys(name, origin), **(inner if isinstance(inner, dict) else {})}
            here.append(inner)
        else:
            inner = here.setdefault(place, inner)
        here = inner
    return body


def _keys(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in json.loads(name.partition(":")[2])}


def _take(live: Mapping[str, Any], member: Member, path: str, chance: Random) -> Mutation:
    body = _applied(live, member, other_value(member.value, chance))
    return Mutation(Kind.TAKE, "PATCH", f"{path}?fieldManager=rival&force=true", body, APPLY, member.text)


def _same(live: Mapping[str, Any], member: Member, path: str) -> Mutation:
    body = _applied(live, member, member.value)
    return Mutation(Kind.SAME, "PATCH", f"{path}?fieldManager=twin&force=true", body, APPLY, member.text)


def _scale(live: Mapping[str, Any], path: str, chance: Random) -> Mutation | None:
    if live["kind"] not in _SCALABLE:
        return None
    patch = {"spec": {"replicas": int(live["spec"].get("replicas", 1)) + chance.randint(1, 2)}}
    return Mutation(Kind.SCALE, "PATCH", f"{path}/scale?fieldManager=scaler", patch, MERGE, "spec.replicas")
