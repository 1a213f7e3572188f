"""Canaries in everything that is secret, and a search of every place where others could find one.

Secrets that are applied, edited, invalid, broken as YAML, built by kustomize; a GitRepository's password, right and
wrong. Whoever may read our kinds, Events, metrics, the log or the process table must find none of them. Other
credentials have a test of their own.
"""

import base64
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.canaries import MARK, Processes, forms
from tests.fixtures.cluster import Kubectl, wait_for
from tests.fixtures.controller import Trimtab
from tests.fixtures.git_server import RunningServer
from tests.fixtures.lab import Lab

_CANARY = re.compile(f"{MARK}[0-9a-f]{{12}}")


def canary() -> str:
    """A value that occurs nowhere else."""
    return MARK + secrets.token_hex(6)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The controller's folder for temporary files, which nobody else writes to."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))


@pytest.fixture
def private_server(lab: Lab, tmp_path: Path) -> Iterator[tuple[RunningServer, str]]:
    """A server that asks for a password, and the password."""
    password = canary()
    root = tmp_path / "private"
    root.mkdir()
    with RunningServer(root, username="bob", password=password) as server:
        yield server, password


def secret(name: str, **parts: object) -> str:
    """A Secret as JSON, which is YAML."""
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **parts}
    return json.dumps(body)


def encoded(value: str) -> str:
    """As in a Secret's data."""
    return base64.b64encode(value.encode()).decode()


def bad_secrets() -> dict[str, dict[str, str]]:
    """Folder → files: each folder fails in its own way."""
    last_applied = "kubectl.kubernetes.io/last-applied-configuration"
    return {
        "number": {"a.yaml": secret("number", data={"key": 12345}, stringData={"key": canary(), "other": 5})},
        "no-base64": {"a.yaml": secret("no-base64", data={"key": canary() + "!"})},
        "nested": {"a.yaml": secret("nested", stringData={"key": {"deeper": [canary()]}})},
        "list": {"a.yaml": secret("list", data=[canary()])},
        "text": {"a.yaml": secret("text", stringData=canary())},
        "key": {"a.yaml": secret("key", stringData={"not a key": canary()})},
        "type": {"a.yaml": secret("type", type="kubernetes.io/tls", stringData={"tls.crt": canary()})},
        "docker": {
            "a.yaml": secret("d", type="kubernetes.io/dockerconfigjson", stringData={".dockerconfigjson": canary()})
        },
        "annotation": {
            "a.yaml": secret("a", metadata={"name": "a", "annotations": {last_applied: {"data": canary()}}})
        },
        "label": {
            "a.yaml": secret("l", metadata={"name": "l", "labels": {"x": "-not valid-"}}, stringData={"k": canary()})
        },
        "yaml": {"a.yaml": f"apiVersion: v1\nkind: Secret\nstringData:\n  key: {canary()}\n bad: {canary()}: x\n"},
        "quote": {"a.yaml": f'apiVersion: v1\nkind: Secret\nstringData: {{key: "{canary()}}}\n'},
        "tag": {"a.yaml": f"apiVersion: v1\nkind: Secret\ndata: {{key: !!int {canary()}}}\n"},
        "binary": {"a.yaml": f"apiVersion: v1\nkind: Secret\ndata: {{key: !!binary '{canary()}!'}}\n"},
        "json": {"a.json": f'{{"apiVersion": "v1", "kind": "Secret", "stringData": {{"key": "{canary()}"'},
        "generator": {
            "kustomization.yaml": "secretGenerator:\n- name: g\n  literals: "
            f"[{canary()}, 'a={canary()}', 'a={canary()}']\n"
        },
        "patch": {
            "kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: |-\n    kind: Secret\n    data: "
            f"{canary()}\n    : {canary()}\n",
            "a.yaml": secret("p", stringData={"key": canary()}),
        },
        "envs": {"kustomization.yaml": "secretGenerator:\n- name: g\n  envs: [e]\n", "e": f"{canary()} {canary()}\n"},
    }


def test_no_canary_is_found_where_others_may_look(
    lab: Lab, kubectl: Kubectl, private_server: tuple[RunningServer, str], namespace: str
):
    server, password = private_server
    processes = Processes(lab.controller.pid)
    processes.start()
    good = {
        "login": secret("login", stringData={"password": canary()}, data={"other": encoded(canary())}),
        "marked": secret("marked", metadata={"name": "marked", "annotations": {"former": canary()}}),
    }
    files: dict[str, str | bytes] = {f"good/{name}.yaml": text for name, text in good.items()}
    files |= {f"{folder}/{name}": text for folder, each in bad_secrets().items() for name, text in each.items()}
    repository = server.repository("app")
    repository.commit(files, "Begin")
    wrong = canary()
    for name, word in (("right", password), ("wrong", wrong)):
        told = secret(name, stringData={"username": "bob", "password": word})
        kubectl("apply", "--server-side", "-n", lab.namespace, "-f", "-", stdin=told)
        spec = {"url": repository.url, "interval": "10m", "secretRef": {"name": name}}
        lab.declare("GitRepository", name, spec)
    refused = lab.kubectl.run(
        "apply", "-f", "-", stdin=_with_credentials(lab.namespace, server.url.replace("://", f"://bob:{password}@"))
    )
    assert refused.returncode != 0
    lab.application("good", "right", "good", targetNamespace=namespace)
    for folder in bad_secrets():
        lab.application(folder, "right", folder, targetNamespace=namespace)

    lab.wait_condition("wrong", "Ready", "False", of="tgit")
    lab.wait_condition("good", "Ready", timeout_seconds=60)
    for folder in bad_secrets():
        lab.wait_condition(folder, "Ready", "False", timeout_seconds=60)
    edited = {"data": {"password": encoded(canary())}, "metadata": {"annotations": {"former": canary()}}}
    kubectl("patch", "secret", "login", "-n", namespace, "-p", json.dumps(edited))
    kubectl("patch", "secret", "marked", "-n", namespace, "-p", json.dumps(edited))
    wait_for(lambda: lab.status("good").get("drift"), what="the edits told as drift")
    lab.application("good", "right", "good", targetNamespace=namespace, drift={"mode": "Report"})
    again = {"data": {"password": encoded(canary())}}
    kubectl("patch", "secret", "login", "-n", namespace, "-p", json.dumps(again))
    lab.wait_condition("good", "Drifted")
    shown = _cli(lab)
    processes.stop()
    found = _find(_places(lab, kubectl) | processes.places() | {"stderr and stdout": shown})

    assert not found, "\n\n".join(found)
    assert not _find({"what kubectl was told": refused.stderr})
    assert any("kustomize" in line for line in processes.arguments)
    assert any("ls-remote" in line or "fetch" in line for line in processes.arguments)


def _with_credentials(namespace: str, url: str) -> str:
    metadata = {"name": "inside", "namespace": namespace}
    return json.dumps(
        {"apiVersion": "trimtab.dev/v1alpha1", "kind": "GitRepository", "metadata": metadata, "spec": {"url": url}}
    )


def _cli(lab: Lab) -> str:
    """What the verbs print that show objects, errors and drift."""
    trimtab = Trimtab(lab.cluster, lab.namespace)
    words = (
        ("get",),
        ("drift", "good"),
        ("diff", "good"),
        ("get", "number", "--errors"),
        ("get", "good", "-o", "yaml"),
    )
    done = [trimtab.run(*each) for each in words]
    assert "login" in done[2].stdout, "the diff shows the Secret"
    return "\n".join(each.stdout + each.stderr for each in done)


def _places(lab: Lab, kubectl: Kubectl) -> dict[str, str]:
    """Where others may look → what they find there."""
    kinds = "applications,gitrepositories,inventories,events,configmaps"
    return {
        "our kinds and Events": kubectl("get", kinds, "-n", lab.namespace, "-o", "yaml", "--show-managed-fields"),
        "log": lab.controller.log(),
        "metrics": lab.controller.metrics(),
        "probes": lab.controller.ask("livez")[1] + lab.controller.ask("readyz")[1],
        "files": _files(lab.controller.folder / "data"),
    }


def _files(data: Path) -> str:
    """The content of files that others than the controller's user may read; mirrors are readable by it alone."""
    assert (data / "git").stat().st_mode & 0o077 == 0
    assert (data / "scratch").stat().st_mode & 0o077 == 0
    assert not list((data / "scratch").iterdir()), "what was rendered is gone"
    assert not list((data.parents[1] / "temporary").iterdir()), "nothing was left in the system's folder"
    open_to_others = [
        path
        for path in data.rglob("*")
        if path.is_file() and not _below_closed(path, data) and path.stat().st_mode & 0o044
    ]
    return "\n".join(path.read_text(errors="replace") for path in open_to_others)


def _below_closed(path: Path, root: Path) -> bool:
    return any(folder.stat().st_mode & 0o077 == 0 for folder in path.parents if folder.is_relative_to(root))


def _find(places: dict[str, str]) -> list[str]:
    """Every canary that is in one of the places, with what stands around it."""
    found = []
    for place, text in places.items():
        found += [f"{place}: {text[max(m.start() - 200, 0) : m.end() + 20]}" for m in _CANARY.finditer(text)]
        middle = [form for form in forms(MARK)[1:] if form and len(form) > 4]
        found += [f"{place}: base64 of one" for form in middle if form in text]
    return found
