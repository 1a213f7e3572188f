"""Changes that people make by hand, each with what has to be told of it.

An edit gets a kubectl and a namespace in which the objects of `rich` are. The end-to-end tests run each of them in
Correct and in Report mode.
"""

import json
import os
import shlex
import stat
import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.campaign import rich
from tests.fixtures.cluster import Kubectl

from trimtab.localcluster import LocalCluster

UNKNOWN: Final = "unknown"
ABSENT: Final = ""

ANY: Final = "*"
"""A value that differs from run to run."""

Told = Mapping[str, tuple[str, ...]]
"""Field → declared and live value as status shows them, and the actor where it is not that of the edit."""


@dataclass(frozen=True)
class Edit:
    """`run` changes the object (`plural/name`); `told` is all that may be told of it, `actor` who did it."""

    name: str
    target: str
    run: Callable[["Hand"], object]
    told: Told
    actor: str

    def fits(self, items: Collection[Mapping[str, Any]], namespace: str) -> bool:
        """Whether just this is told, of the right object, in items of a status."""
        found = {item["field"]: (item["declared"], item["live"], item["actor"]) for item in items}
        if len(found) < len(items) or found.keys() != self.told.keys():
            return False
        objects = {item["object"] for item in items}
        return objects == {self.shown_as.format(namespace)} and all(
            all(want in (ANY, got) for want, got in zip((*values, self.actor)[:3], found[field], strict=True))
            for field, values in self.told.items()
        )

    @property
    def shown_as(self) -> str:
        """The object as status names it, but for the namespace."""
        return {
            "deployment/web": "Deployment.apps/{}/web",
            "service/web": "Service/{}/web",
            "configmap/settings": "ConfigMap/{}/settings",
            "secret/login": "Secret/{}/login",
            "role/reader": "Role.rbac.authorization.k8s.io/{}/reader",
        }[self.target]


class Hand:
    """Somebody with kubectl."""

    def __init__(self, cluster: LocalCluster, namespace: str) -> None:
        self.namespace = namespace
        self._kubectl = Kubectl(cluster)
        self._argv = [str(cluster.program("kubectl")), f"--kubeconfig={cluster.kubeconfig_path}", "-n", namespace]

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        return self._kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def patch(self, target: str, patch: Any, *, kind: str = "strategic") -> str:
        return self("patch", target, f"--type={kind}", "-p", json.dumps(patch))

    def json_patch(self, target: str, *operations: dict[str, Any]) -> str:
        return self.patch(target, list(operations), kind="json")

    def edit(self, target: str, *sed: str) -> None:
        """`kubectl edit` with an editor that makes these substitutions."""
        with tempfile.TemporaryDirectory() as folder:
            editor = Path(folder) / "editor"
            expressions = " ".join(f"-e {shlex.quote(each)}" for each in sed)
            editor.write_text(f'#!/bin/sh\nexec sed -i {expressions} "$1"\n')
            editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
            environment = {"PATH": os.defpath, "HOME": folder, "KUBE_EDITOR": str(editor)}
            subprocess.run([*self._argv, "edit", target], env=environment, check=True, capture_output=True, timeout=60)

    def body(self, target: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("get", target, "-o", "json"))
        return found

    def replace(self, target: str, change: Callable[[dict[str, Any]], object]) -> None:
        body = self.body(target)
        change(body)
        self("replace", "-f", "-", stdin=json.dumps(body))

    def apply(self, body: dict[str, Any], *flags: str) -> None:
        self("apply", *flags, "-f", "-", stdin=json.dumps(body))


def changed(body: dict[str, Any], *path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path of maps."""
    copy = deepcopy(body)
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return copy


def _container(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", **fields}]}}}}


_CONTAINERS: Final = "/spec/template/spec/containers"
_WEB: Final = "spec.template.spec.containers[name=web]"

EDITS: Final = (
    Edit(
        "patch",
        "configmap/settings",
        lambda hand: hand.patch("configmap/settings", {"data": {"colour": "red"}}),
        {"data.colour": ('"green"', '"red"')},
        "kubectl-patch",
    ),
    Edit(
        "patch-two-fields",
        "configmap/settings",
        lambda hand: hand.patch("configmap/settings", {"data": {"colour": "red", "size": None}}, kind="merge"),
        {"data.colour": ('"green"', '"red"'), "data.size": ('"large"', ABSENT, UNKNOWN)},
        "kubectl-patch",
    ),
    Edit(
        "edit",
        "configmap/settings",
        lambda hand: hand.edit("configmap/settings", "s/colour: green/colour: blue/"),
        {"data.colour": ('"green"', '"blue"')},
        "kubectl-edit",
    ),
    Edit(
        "edit-removes",
        "configmap/settings",
        lambda hand: hand.edit("configmap/settings", "/size: large/d"),
        {"data.size": ('"large"', ABSENT)},
        UNKNOWN,
    ),
    Edit(
        "label",
        "configmap/settings",
        lambda hand: hand("label", "configmap/settings", "tier=back", "--overwrite"),
        {"metadata.labels.tier": ('"front"', '"back"')},
        "kubectl-label",
    ),
    Edit(
        "label-removed",
        "configmap/settings",
        lambda hand: hand("label", "configmap/settings", "tier-"),
        {"metadata.labels.tier": ('"front"', ABSENT)},
        UNKNOWN,
    ),
    Edit(
        "annotate",
        "deployment/web",
        lambda hand: hand("annotate", "deployment/web", "example.org/contact=eve", "--overwrite"),
        {"metadata.annotations[example.org/contact]": ('"ada"', '"eve"')},
        "kubectl-annotate",
    ),
    Edit(
        "scale",
        "deployment/web",
        lambda hand: hand("scale", "deployment/web", "--replicas=5"),
        {"spec.replicas": ("2", "5")},
        "kubectl",
    ),
    Edit("delete", "service/web", lambda hand: hand("delete", "service/web"), {"": ('"Service present"', "")}, UNKNOWN),
    Edit(
        "replace",
        "configmap/settings",
        lambda hand: hand.replace("configmap/settings", lambda body: body["data"].update(colour="black")),
        {"data.colour": ('"green"', '"black"')},
        "kubectl-replace",
    ),
    Edit(
        "server-side-apply",
        "configmap/settings",
        lambda hand: hand.apply(
            changed(rich.CONFIG_MAP, "data", "colour", value="grey"),
            "--server-side",
            "--force-conflicts",
            "--field-manager=other",
        ),
        {"data.colour": ('"green"', '"grey"')},
        "other",
    ),
    Edit(
        # Of another object than server-side-apply: kubectl would take what this one leaves behind for something to
        # migrate, and apply twice.
        "client-side-apply",
        "role/reader",
        lambda hand: hand.apply(
            changed(rich.ROLE, "rules", value=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
        ),
        {
            "rules": (
                '[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]',
                '[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]',
            )
        },
        "kubectl-client-side-apply",
    ),
    Edit(
        "set-image",
        "deployment/web",
        lambda hand: hand("set", "image", "deployment/web", "web=registry.example/web:2.0"),
        {f"{_WEB}.image": ('"registry.example/web:1.0"', '"registry.example/web:2.0"')},
        "kubectl-set",
    ),
    Edit(
        "atomic-list",
        "deployment/web",
        lambda hand: hand.patch("deployment/web", _container(args=["--port=8080"])),
        {f"{_WEB}.args": ('["--port=8080","--verbose"]', '["--port=8080"]')},
        "kubectl-patch",
    ),
    Edit(
        "container-removed",
        "deployment/web",
        lambda hand: hand.json_patch("deployment/web", {"op": "remove", "path": f"{_CONTAINERS}/1"}),
        {
            "spec.template.spec.containers[name=sidecar]": (
                ANY,
                ABSENT,
            )
        },
        UNKNOWN,
    ),
    Edit(
        "value-becomes-value-from",
        "deployment/web",
        lambda hand: hand.json_patch(
            "deployment/web",
            {"op": "remove", "path": f"{_CONTAINERS}/0/env/0/value"},
            {
                "op": "add",
                "path": f"{_CONTAINERS}/0/env/0/valueFrom",
                "value": {"configMapKeyRef": {"name": "settings", "key": "colour"}},
            },
        ),
        {f"{_WEB}.env[name=LEVEL].value": ('"info"', ABSENT)},
        UNKNOWN,
    ),
    Edit(
        "strategy",
        "deployment/web",
        lambda hand: hand.patch(
            "deployment/web", {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
        ),
        {"spec.strategy.type": ('"Recreate"', '"RollingUpdate"')},
        "kubectl-patch",
    ),
    Edit(
        "port-renumbered",
        "service/web",
        lambda hand: hand.json_patch("service/web", {"op": "replace", "path": "/spec/ports/0/port", "value": 8088}),
        {"spec.ports[port=80,protocol=TCP]": (ANY, ABSENT)},
        UNKNOWN,
    ),
    Edit(
        "selector",
        "service/web",
        lambda hand: hand.patch("service/web", {"spec": {"selector": {"tier": "back"}}}),
        {"spec.selector": ('{"app":"web","tier":"front"}', '{"app":"web","tier":"back"}')},
        "kubectl-patch",
    ),
    Edit(
        "secret",
        "secret/login",
        lambda hand: hand.patch("secret/login", {"stringData": {"password": "correct-horse"}}),
        {"data.password": ("(masked)", "(masked)")},
        "kubectl-patch",
    ),
    Edit(
        "rules",
        "role/reader",
        lambda hand: hand.patch("role/reader", {"rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}]}),
        {
            "rules": (
                '[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]',
                '[{"apiGroups":[""],"resources":["*"],"verbs":["*"]}]',
            )
        },
        "kubectl-patch",
    ),
    Edit(
        "bucket-label-stripped",
        "configmap/settings",
        lambda hand: hand("label", "configmap/settings", "trimtab.dev/bucket-"),
        {"metadata.labels[trimtab.dev/bucket]": (ANY, ABSENT)},
        UNKNOWN,
    ),
    Edit(
        "owner-annotation-stripped",
        "configmap/settings",
        lambda hand: hand("annotate", "configmap/settings", "trimtab.dev/owner-"),
        {"metadata.annotations[trimtab.dev/owner]": (ANY, ABSENT)},
        UNKNOWN,
    ),
)
