"""Live objects as the server would answer them, with ownership made from what each manager declares."""

import copy
from typing import Any

from trimtab.core.fields.fieldset import Paths
from trimtab.core.fields.managed import APPLY, UPDATE, ManagedEntry, entries_of, written
from trimtab.core.fields.shape import Shaper
from trimtab.core.names import FIELD_MANAGER

T0 = "2026-01-01T00:00:00Z"
T1 = "2026-01-01T00:01:00Z"


def deployment() -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "web:1",
        "args": ["--port", "80"],
        "env": [{"name": "MODE", "value": "fast"}],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
    }
    pod = {"containers": [container], "volumes": [{"name": "scratch", "emptyDir": {}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"tier": "front"}},
        "spec": {"replicas": 3, "template": {"spec": pod}},
    }


def secret(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "shop"}, "data": data}


def owned(body: dict[str, Any], *others: ManagedEntry) -> dict[str, Any]:
    """`body` as live object, all of it declared and owned by us, beside entries of others."""
    live = copy.deepcopy(body)
    ours = ManagedEntry(FIELD_MANAGER, APPLY, body["apiVersion"], "", T0, Shaper(()).paths(body))
    live["metadata"]["managedFields"] = written([ours, *others])
    return live


def entry(
    manager: str,
    paths: Paths,
    *,
    operation: str = UPDATE,
    subresource: str = "",
    time: str = T1,
    version: str = "apps/v1",
) -> ManagedEntry:
    return ManagedEntry(manager, operation, version, subresource, time, paths)


def taken(live: dict[str, Any], paths: Paths, by: ManagedEntry | None = None) -> dict[str, Any]:
    """The live object after another manager's write took these paths from everybody."""
    changed = copy.deepcopy(live)
    entries = [each.without(paths) for each in entries_of(live)]
    changed["metadata"]["managedFields"] = written([*entries, *([by] if by else [])])
    return changed
