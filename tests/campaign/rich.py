"""Objects of our own with much that can be changed by hand: the stage of the end-to-end tests of drift."""

from typing import Any, Final

import yaml

LABELS: Final = {"app": "web", "tier": "front"}

DEPLOYMENT: Final[dict[str, Any]] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": LABELS, "annotations": {"example.org/contact": "ada"}},
    "spec": {
        "replicas": 2,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "registry.example/web:1.0",
                        "args": ["--port=8080", "--verbose"],
                        "env": [{"name": "LEVEL", "value": "info"}, {"name": "REGION", "value": "north"}],
                        "ports": [{"name": "http", "containerPort": 8080}],
                        "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "100m"}},
                        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                    },
                    {"name": "sidecar", "image": "registry.example/sidecar:1.0"},
                ],
                "volumes": [{"name": "scratch", "emptyDir": {}}],
            },
        },
    },
}
SERVICE: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "labels": LABELS},
    "spec": {
        "selector": LABELS,
        "ports": [
            {"name": "http", "port": 80, "targetPort": "http"},
            {"name": "metrics", "port": 9090, "targetPort": 9090},
        ],
    },
}
CONFIG_MAP: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "labels": LABELS},
    "data": {"colour": "green", "size": "large"},
}
SECRET: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login"},
    "stringData": {"password": "hunter2"},
}
ROLE: Final[dict[str, Any]] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "reader"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
}

RICH: Final = {
    "rich/deployment.yaml": DEPLOYMENT,
    "rich/service.yaml": SERVICE,
    "rich/settings.yaml": CONFIG_MAP,
    "rich/login.yaml": SECRET,
    "rich/role.yaml": ROLE,
}


def as_files(bodies: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Bodies by path, as files of a repository."""
    return {path: yaml.safe_dump(body) for path, body in bodies.items()}
