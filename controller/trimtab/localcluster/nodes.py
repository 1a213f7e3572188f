"""What a new cluster is furnished with: its nodes and a StorageClass.

`cluster` creates these objects once the API server answers; kwok then plays the nodes' kubelets.
"""

from typing import Any, Final

NODE_PREFIX: Final = "trimtab-node-"
STORAGE_CLASS: Final = "standard"
PROVISIONER: Final = "trimtab.dev/simulated"
_ZONES: Final = ("a", "b", "c")
_RESOURCES: Final = {"cpu": "1000", "memory": "1Ti", "ephemeral-storage": "10Ti", "pods": "10000"}


def node_name(index: int) -> str:
    """The name of the node with that index, from 0."""
    return f"{NODE_PREFIX}{index}"


def node(index: int, *, architecture: str) -> dict[str, Any]:
    """A Linux worker with the labels that node selectors and spread constraints ask for, too large to be filled."""
    name = node_name(index)
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "node-role.kubernetes.io/worker": "",
        "topology.kubernetes.io/region": "local",
        "topology.kubernetes.io/zone": f"local-{_ZONES[index % len(_ZONES)]}",
        "type": "kwok",
    }
    addresses = [
        {"type": "InternalIP", "address": f"10.245.{index // 250}.{index % 250 + 1}"},
        {"type": "Hostname", "address": name},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"capacity": _RESOURCES, "allocatable": _RESOURCES, "addresses": addresses},
    }


def storage_class() -> dict[str, Any]:
    """The default StorageClass, whose volumes our stages bind."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def is_ready(body: dict[str, Any]) -> bool:
    """Whether Pods can be scheduled there: Ready, and the taint of new nodes taken away."""
    conditions = body.get("status", {}).get("conditions") or []
    taints = body.get("spec", {}).get("taints") or []
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and not any(taint["key"] == "node.kubernetes.io/not-ready" for taint in taints)
