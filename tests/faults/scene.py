"""What fault tests put into a cluster and ask of it: ConfigMaps from Git, edits by hand, and what is left of them."""

import json
from typing import Any

from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import Lab


def config_map(name: str, **data: str) -> str:
    """A ConfigMap as a manifest without a namespace."""
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})


def folder(*names: str, value: str = "declared", path: str = "app") -> dict[str, str | bytes]:
    """A folder with one ConfigMap in each file."""
    return {f"{path}/{name}.yaml": config_map(name, value=value) for name in names}


def value(lab: Lab, name: str, *, namespace: str = "") -> str | None:
    """What a ConfigMap of `folder` holds now; None where it is absent."""
    found = lab.kubectl.run("get", "configmap", name, "-n", namespace or lab.namespace, "-o", "json")
    return json.loads(found.stdout)["data"].get("value", "") if found.returncode == 0 else None


def edit(lab: Lab, name: str, *, to: str = "edited", namespace: str = "") -> None:
    """Change a ConfigMap of `folder` by hand."""
    patch = json.dumps({"data": {"value": to}})
    lab.kubectl("patch", "configmap", name, "-n", namespace or lab.namespace, "--type=merge", "-p", patch)


def wait_value(lab: Lab, name: str, wanted: str, *, namespace: str = "", timeout_seconds: float = 60) -> None:
    """Wait until a ConfigMap holds what it should."""
    wait_for(
        lambda: value(lab, name, namespace=namespace) == wanted,
        timeout_seconds=timeout_seconds,
        what=f"{name}={wanted} (it is {value(lab, name, namespace=namespace)})\n{lab.controller.log()[-2000:]}",
    )


def heals(lab: Lab, name: str, *, namespace: str = "", timeout_seconds: float = 60) -> None:
    """An edit by hand and a deletion are put right, whatever else is wrong."""
    before = value(lab, name, namespace=namespace)
    assert before is not None
    edit(lab, name, namespace=namespace)
    wait_value(lab, name, before, namespace=namespace, timeout_seconds=timeout_seconds)
    lab.kubectl("delete", "configmap", name, "-n", namespace or lab.namespace, "--wait=false")
    wait_value(lab, name, before, namespace=namespace, timeout_seconds=timeout_seconds)


def uid(lab: Lab, kind: str, name: str, *, namespace: str = "") -> str:
    """An object's UID: the same one as long as nobody deleted it."""
    found: dict[str, Any] = lab.kubectl.get(kind, name, "-n", namespace or lab.namespace)
    return str(found["metadata"]["uid"])
