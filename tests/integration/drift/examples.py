"""Declared objects that the tests change."""

import copy
from typing import Any

from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION

WEB = {
    "name": "web",
    "image": "shop/web:1",
    "args": ["--port", "80"],
    "env": [{"name": "MODE", "value": "fast"}, {"name": "EMPTY", "value": ""}],
    "ports": [{"name": "http", "containerPort": 80}],
    "resources": {"limits": {"cpu": "1000m", "memory": "0.5Gi"}},
    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
}


def marked(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {BUCKET_LABEL: "test-7", "tier": "front"},
        "annotations": {OWNER_ANNOTATION: "shop/shop/1", "note": "by git"},
    }


def deployment(**spec: Any) -> dict[str, Any]:
    pod = {"containers": [copy.deepcopy(WEB)], "volumes": [{"name": "scratch", "emptyDir": {}}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": marked("web"),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
            **spec,
        },
    }


def pod_of(body: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = body["spec"]["template"]["spec"]
    return pod


def container_of(body: dict[str, Any], name: str = "web") -> dict[str, Any]:
    return next(item for item in pod_of(body)["containers"] if item["name"] == name)


def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    listed = list(ports) or [{"name": "http", "port": 80}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": marked("web"),
        "spec": {"selector": {"app": "web"}, "ports": listed, **spec},
    }


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": marked("settings"), "data": data or {"a": "1"}}


def secret(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": marked("keys"), "data": data or {"a": "eA=="}}
