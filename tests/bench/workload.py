"""The objects that the bench applies: ten small systems of ten components each, the same at every run.

A seed, a count of Applications and a prefix for namespaces flow in; bodies flow out, and the files of a repository that
declare them. One component is ten objects, so that an Application with its Namespace is 101.
"""

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

Body = dict[str, Any]

COMPONENTS: Final = 10
OBJECTS: Final = 1 + 10 * COMPONENTS
SEED: Final = 20_240_229

PATHS: Final = {
    "Namespace": ("api/v1", "namespaces"),
    "ConfigMap": ("api/v1", "configmaps"),
    "Secret": ("api/v1", "secrets"),
    "Service": ("api/v1", "services"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "Role": ("apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets"),
    "Deployment": ("apis/apps/v1", "deployments"),
}
"""Kind → root of its API and plural."""

_NAMES: Final = ("web", "cart", "search", "billing", "mailer", "catalog", "ledger", "reports", "gateway", "worker")
_WORDS: Final = ("amber", "birch", "cobalt", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper")


@dataclass(frozen=True, slots=True)
class System:
    """What one Application declares. `name` is also its folder's; all objects are in `namespace`, which is one."""

    name: str
    namespace: str
    bodies: tuple[Body, ...]

    def files(self) -> dict[str, str]:
        """File name → YAML: the Namespace, and one file for each component."""
        files = {f"{self.name}/00-namespace.yaml": yaml.safe_dump(self.bodies[0], sort_keys=False)}
        for index, name in enumerate(_NAMES):
            part = self.bodies[1 + index * 10 : 11 + index * 10]
            files[f"{self.name}/{index + 1:02d}-{name}.yaml"] = yaml.safe_dump_all(part, sort_keys=False)
        return files


def systems(count: int, *, prefix: str, seed: int = SEED) -> list[System]:
    """`count` systems in namespaces that begin with `prefix`; equal arguments give equal objects."""
    chance = random.Random(seed)
    return [_system(f"system-{index:02d}", f"{prefix}-{index:02d}", chance) for index in range(count)]


def path_of(body: Body) -> str:
    """The path of an object on the API server, without a leading slash."""
    root, plural = PATHS[body["kind"]]
    namespace = body["metadata"].get("namespace")
    within = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{within}/{plural}/{body['metadata']['name']}"


def _system(name: str, namespace: str, chance: random.Random) -> System:
    bodies: list[Body] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {"app.kubernetes.io/part-of": name, "tier": "bench"}},
        }
    ]
    for index, component in enumerate(_NAMES):
        bodies += _component(namespace, name, component, chance, replicas=1 if index < 2 else 0)
    return System(name, namespace, tuple(bodies))


def _component(namespace: str, system: str, name: str, chance: random.Random, *, replicas: int) -> Iterator[Body]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": system}
    selector = {"app.kubernetes.io/name": name}

    def body(api_version: str, kind: str, suffix: str = "", **rest: Any) -> Body:
        metadata = {"name": f"{name}{suffix}", "namespace": namespace, "labels": dict(labels)}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}

    yield body("v1", "ServiceAccount", automountServiceAccountToken=False)
    yield body("v1", "ConfigMap", "-settings", data=_settings(chance))
    yield body("v1", "ConfigMap", "-files", data={"application.yaml": _text(chance, lines=60)})
    yield body("v1", "Secret", "-keys", type="Opaque", data={"token": _secret(chance), "password": _secret(chance)})
    yield body("rbac.authorization.k8s.io/v1", "Role", rules=_rules(name))
    yield body(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        subjects=[{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    )
    yield body("v1", "Service", spec={"selector": selector, "ports": _ports()})
    yield body("networking.k8s.io/v1", "NetworkPolicy", spec=_policy(selector))
    yield body(
        "policy/v1", "PodDisruptionBudget", spec={"maxUnavailable": 1, "selector": {"matchLabels": dict(selector)}}
    )
    yield body("apps/v1", "Deployment", spec=_deployment(name, labels, selector, replicas=replicas))


def _settings(chance: random.Random) -> dict[str, str]:
    return {f"{word.upper()}_{index}": f"{word}-{chance.randrange(10**6)}" for index, word in enumerate(_WORDS)}


def _text(chance: random.Random, *, lines: int) -> str:
    return "".join(f"{chance.choice(_WORDS)}.{index}: {chance.randrange(10**9)}\n" for index in range(lines))


def _secret(chance: random.Random) -> str:
    return base64.b64encode(chance.randbytes(24)).decode()


def _rules(name: str) -> list[Body]:
    return [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [f"{name}-settings"], "verbs": ["get"]},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
    ]


def _ports() -> list[Body]:
    return [
        {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
        {"name": "metrics", "port": 9090, "targetPort": "metrics", "protocol": "TCP"},
    ]


def _policy(selector: dict[str, str]) -> Body:
    return {
        "podSelector": {"matchLabels": dict(selector)},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": "http", "protocol": "TCP"}]}],
    }


def _deployment(name: str, labels: dict[str, str], selector: dict[str, str], *, replicas: int) -> Body:
    variables = [{"name": f"{word.upper()}", "value": f"{name}-{word}"} for word in _WORDS[:5]]
    token = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": f"{name}-keys", "key": "token"}}}
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10}
    container = {
        "name": "main",
        "image": f"registry.example/{name}:1.0.0",
        "args": ["serve", "--config=/etc/app/application.yaml"],
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
        "env": [*variables, token],
        "envFrom": [{"configMapRef": {"name": f"{name}-settings"}}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": probe,
        "livenessProbe": probe,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "files", "mountPath": "/etc/app"}, {"name": "scratch", "mountPath": "/tmp"}],
    }
    pod = {
        "serviceAccountName": name,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001},
        "containers": [container],
        "volumes": [
            {"name": "files", "configMap": {"name": f"{name}-files"}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    return {
        "replicas": replicas,
        "revisionHistoryLimit": 2,
        "selector": {"matchLabels": dict(selector)},
        "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
    }
