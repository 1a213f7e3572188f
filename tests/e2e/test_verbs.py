"""The verbs against a real controller, a real API server and a real git server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.fixtures.cluster import Kubectl, wait_for
from tests.fixtures.controller import (
    SHOP,
    Controller,
    Served,
    Trimtab,
    application,
    git_repository,
    is_true,
    status,
)

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: {value}}}\n"
CRDS = Path(__file__).parents[2] / "crds"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{password: {value}}}\n"


@pytest.fixture
def plain(kubectl: Kubectl, controller: Controller, trimtab: Trimtab, shop: Served, namespace: str) -> Served:
    """The Application `plain`: a folder with a ConfigMap and a Secret, applied into `namespace`; polled hourly."""
    files = {
        "plain/map.yaml": CONFIG_MAP.format(name="settings", value="one"),
        "plain/secret.yaml": SECRET.format(name="login", value="hunter2"),
    }
    shop.repository.commit(files, "Add plain files")
    texts = [
        git_repository(controller.namespace, shop.url, interval="1h"),
        application(controller.namespace, "plain", "plain", namespace),
    ]
    kubectl("apply", "-f", "-", stdin="".join(texts))
    trimtab("reconcile", "plain", "--with-source", "--wait")
    return shop


def data(kubectl: Kubectl, namespace: str) -> dict[str, str]:
    return kubectl.get("configmap", "settings", "-n", namespace)["data"]


def test_the_shop_is_shown_while_it_comes_up_and_when_it_is_there(
    kubectl: Kubectl, controller: Controller, trimtab: Trimtab, shop: Served, namespace: str
):
    repository = git_repository(controller.namespace, shop.url)
    overlay = application(controller.namespace, "staging", "overlays/staging", namespace, wait=True)
    kubectl("apply", "-f", "-", stdin=repository + overlay)
    done = trimtab.run("reconcile", "staging", "--wait")
    assert done.returncode == 0, done.stderr
    assert f"Application/staging: applied main@sha1:{shop.repository.sha()}" in done.stdout
    assert "Application/staging: " in done.stderr, "progress is told"

    heads, row = (line.split() for line in trimtab("get", "applications").splitlines())
    assert heads == ["NAME", "READY", "HEALTHY", "OBJECTS", "DRIFTED", "REVISION", "AGE", "MESSAGE"]
    assert row[:4] == ["staging", "True", "True", "9/9"]
    assert controller.namespace in trimtab("get", "applications", "-A")
    everything = trimtab("get")
    assert "Open the shop" in everything
    assert "staging" in everything

    listed = json.loads(trimtab("get", "-o", "json"))
    assert [each["kind"] for each in listed["items"]] == ["GitRepository", "Application"]
    assert "managedFields" not in listed["items"][0]["metadata"]
    one = yaml.safe_load(trimtab("get", "repository/shop", "-o", "yaml"))
    assert one["status"]["artifact"]["revision"].endswith(shop.repository.sha())
    assert trimtab("get", "staging", "--history").splitlines()[1].split()[1] == "Applied"
    assert "Healthy" in trimtab("get", "staging")
    assert trimtab("get", "staging", "--errors") == ""


def test_what_is_not_there_is_said_in_one_line(trimtab: Trimtab, controller: Controller):
    missing = trimtab.run("get", "shop")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.startswith(f"Error: there is no Application shop in namespace {controller.namespace}")
    assert missing.stderr.count("\n") == 1
    assert trimtab.run("reconcile", "cheese/shop").returncode == 2
    assert trimtab.run("diff", "shop").returncode == 2
    assert trimtab.run("suspend").returncode == 2
    assert trimtab.run("get", "shop", "--context", "elsewhere").returncode == 2


def test_a_poke_fetches_and_applies_at_once(kubectl: Kubectl, trimtab: Trimtab, plain: Served, namespace: str):
    plain.repository.commit({"plain/map.yaml": CONFIG_MAP.format(name="settings", value="two")})
    assert data(kubectl, namespace) == {"key": "one"}
    trimtab("reconcile", "plain", "--with-source", "--wait")
    assert data(kubectl, namespace) == {"key": "two"}

    plain.repository.commit({"plain/map.yaml": CONFIG_MAP.format(name="settings", value="three")})
    assert "asked" in trimtab("reconcile", "repository/shop")
    wait_for(lambda: data(kubectl, namespace) == {"key": "three"}, what="the third value")


def test_a_failed_reconcile_exits_with_one(trimtab: Trimtab, plain: Served):
    plain.repository.commit({"plain/map.yaml": "kind: [\n"})
    done = trimtab.run("reconcile", "plain", "--with-source", "--wait")
    assert done.returncode == 1, done.stderr
    assert "plain/map.yaml:" in done.stdout


def test_suspended_means_neither_synced_nor_healed(
    kubectl: Kubectl, controller: Controller, trimtab: Trimtab, plain: Served, namespace: str
):
    assert trimtab("suspend", "plain", "repository/shop").splitlines() == [
        "Application/plain suspended",
        "GitRepository/shop suspended",
    ]
    assert trimtab("suspend", "plain") == "Application/plain was suspended already\n"
    wait_for(lambda: "suspended" in trimtab("get", "plain").splitlines()[1], what="the status to say so")
    kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data":{"key":"by hand"}}')
    refused = trimtab.run("reconcile", "plain", "--wait")
    assert refused.returncode == 2
    assert "trimtab resume plain" in refused.stderr
    assert data(kubectl, namespace) == {"key": "by hand"}

    assert "Application/plain resumed" in trimtab("resume", "--all")
    assert "GitRepository/shop resumed" in trimtab("resume", "--all", "repositories")
    wait_for(lambda: data(kubectl, namespace) == {"key": "one"}, what="the healing")


def test_drift_is_told_with_field_values_and_actor(
    kubectl: Kubectl, controller: Controller, trimtab: Trimtab, plain: Served, namespace: str
):
    assert trimtab("drift") == ""
    kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data":{"key":"by hand"}}')
    wait_for(lambda: data(kubectl, namespace) == {"key": "one"}, what="the healing")
    told = wait_for(lambda: trimtab("drift", "plain"), what="corrected drift")
    assert told.splitlines()[1].split()[:6] == [
        "plain",
        f"ConfigMap/{namespace}/settings",
        "data.key",
        '"one"',
        '"by',
        'hand"',
    ]
    assert "kubectl-patch" in told

    mode = '{"spec":{"drift":{"mode":"Report"}}}'
    kubectl("patch", "tapp", "plain", "-n", controller.namespace, "--type=merge", "-p", mode)
    trimtab("reconcile", "plain", "--wait")
    kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data":{"key":"again"}}')
    wait_for(lambda: is_true(status(kubectl, controller.namespace, "plain"), "Drifted"), what="reported drift")
    standing = json.loads(trimtab("drift", "-o", "json", code=1))
    assert [each["live"] for each in standing if "corrected" not in each] == ['"again"']
    shown = trimtab("diff", "plain", code=1)
    assert "drift, which is only reported" in shown
    assert "-  key: again\n+  key: one\n" in shown


def test_diff_shows_what_an_apply_would_do_and_nothing_of_secrets(
    kubectl: Kubectl, trimtab: Trimtab, plain: Served, namespace: str, tmp_path: Path
):
    assert trimtab("diff", "plain") == ""

    sha = plain.repository.commit(
        {
            "plain/map.yaml": CONFIG_MAP.format(name="settings", value="two"),
            "plain/secret.yaml": SECRET.format(name="login", value="correct-horse"),
            "plain/new.yaml": CONFIG_MAP.format(name="fresh", value="x"),
        }
    )
    shown = trimtab("diff", "plain", code=1)
    assert f"# ConfigMap/{namespace}/settings: change" in shown
    assert "-  key: one\n+  key: two\n" in shown
    assert f"# ConfigMap/{namespace}/fresh: create" in shown
    assert "-  password: (masked, before)\n+  password: (masked, after)\n" in shown
    assert "hunter2" not in shown
    assert "correct-horse" not in shown
    assert "\x1b[" not in shown
    assert "\x1b[32m+" in trimtab("diff", "plain", "--colour", code=1)
    found = json.loads(trimtab("diff", "plain", "-o", "json", "--colour", code=1))
    assert found["revision"].endswith(sha)
    assert (found["kept"], found["errors"]) == ([], [])
    by_name = {each["object"]: each for each in found["objects"]}
    assert by_name[f"ConfigMap/{namespace}/settings"]["action"] == "change"
    assert "-  key: one\n+  key: two\n" in by_name[f"ConfigMap/{namespace}/settings"]["diff"]
    assert "correct-horse" not in json.dumps(found)
    assert data(kubectl, namespace) == {"key": "one"}, "a diff changes nothing"

    # What it foretold is what comes, and then nothing is left to tell.
    trimtab("reconcile", "plain", "--with-source", "--wait")
    assert data(kubectl, namespace) == {"key": "two"}
    assert trimtab("diff", "plain", "--revision", sha) == ""

    plain.repository.delete("plain/new.yaml")
    gone = trimtab("diff", "plain", code=1)
    assert f"# ConfigMap/{namespace}/fresh: delete" in gone
    assert "-  key: x" in gone


def test_diff_takes_a_working_copy(trimtab: Trimtab, plain: Served, tmp_path: Path):
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", plain.url, str(copy)], check=True, env=_git_environment())
    assert trimtab("diff", "plain", "--path", str(copy)) == ""
    (copy / "plain" / "map.yaml").write_text(CONFIG_MAP.format(name="settings", value="draft"))
    (copy / "plain" / "extra.yaml").write_text(CONFIG_MAP.format(name="extra", value="draft"))
    shown = trimtab("diff", "plain", "--path", str(copy), code=1)
    assert "+  key: draft" in shown
    assert "/extra: create" in shown

    (copy / ".gitignore").write_text("plain/extra.yaml\n")
    assert "/extra" not in trimtab("diff", "plain", "--path", str(copy), code=1), "git would not commit it"

    (copy / "plain" / "map.yaml").write_text("a: b: c\n")
    broken = trimtab.run("diff", "plain", "--path", str(copy))
    assert broken.returncode == 2
    assert "plain/map.yaml:1" in broken.stderr
    assert "Traceback" not in broken.stderr
    elsewhere = trimtab.run("diff", "plain", "--path", str(SHOP))
    assert elsewhere.returncode == 2
    assert "root of the working copy" in elsewhere.stderr


def test_all_errors_are_listed_though_status_holds_fifty(
    kubectl: Kubectl, controller: Controller, trimtab: Trimtab, plain: Served
):
    broken = {
        f"plain/bad-{number:02}.yaml": f"apiVersion: v1\nkind: Service\nmetadata: {{name: bad-{number:02}}}\n"
        for number in range(60)
    }
    plain.repository.commit(dict(broken))
    trimtab("reconcile", "plain", "--with-source", "--wait", code=1)
    found = status(kubectl, controller.namespace, "plain")
    assert (len(found["errors"]), found["errorsTotal"]) == (50, 60)
    listed = json.loads(trimtab("get", "plain", "--errors", "-o", "json"))
    assert sorted(each["file"] for each in listed) == sorted(broken)
    assert all(each["line"] for each in listed)


def test_the_plugin_is_found_by_kubectl(cluster, kubectl: Kubectl, trimtab: Trimtab, plain: Served, controller):
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        [
            str(cluster.program("kubectl")),
            "trimtab",
            "get",
            f"--kubeconfig={cluster.kubeconfig_path}",
            f"--namespace={controller.namespace}",
        ],
        env={"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "plain" in done.stdout


def test_install_renews_the_crds_and_says_what_it_does_not_do_yet(cluster):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "trimtab", "install", f"--kubeconfig={cluster.kubeconfig_path}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    refused = run()
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--crds-only" in refused.stderr
    assert run("--crds-only").returncode == 0
    again = run("--crds-only")
    assert [line.split()[-1] for line in again.stdout.splitlines()] == ["unchanged"] * len(list(CRDS.glob("*.yaml")))


def _git_environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "HOME": "/dev/null",
    }


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports: [{containerPort: 8080}]
          env: [{name: GREETING, value: hello}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""


def test_diff_foretells_what_the_server_refuses_in_one_step(
    kubectl: Kubectl, trimtab: Trimtab, plain: Served, namespace: str
):
    plain.repository.commit({"plain/web.yaml": WEB})
    trimtab("reconcile", "plain", "--with-source", "--wait")
    # The value is somebody else's, too: an apply leaves it, and beside it valueFrom is refused.
    shared = WEB.partition("---")[0].replace("  replicas: 3\n", "")
    kubectl("apply", "-n", namespace, "--server-side", "--field-manager=other", "-f", "-", stdin=shared)
    changed = WEB.replace("value: hello", "valueFrom: {fieldRef: {fieldPath: metadata.name}}").replace(
        "  replicas: 3\n", ""
    )
    plain.repository.commit({"plain/web.yaml": changed})
    shown = trimtab("diff", "plain", code=1)
    assert f"# Deployment.apps/{namespace}/web: change (the server refuses this in one step" in shown
    assert "-          value: hello\n+          valueFrom:\n" in shown
    assert "protocol" not in shown, "a default is no difference"
    assert "replicas: 1" not in shown, "a field no longer declared keeps its value"
    trimtab("reconcile", "plain", "--with-source", "--wait")
    assert trimtab("diff", "plain") == ""
    live = kubectl.get("deployment", "web", "-n", namespace)
    assert live["spec"]["replicas"] == 3
    assert "value" not in live["spec"]["template"]["spec"]["containers"][0]["env"][0]


def test_all_drift_is_listed_though_status_holds_some(
    kubectl: Kubectl, controller: Controller, trimtab: Trimtab, plain: Served, namespace: str
):
    keys = [f"key-{number:02}" for number in range(30)]
    declared = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: many}\ndata:\n"
    plain.repository.commit({"plain/many.yaml": declared + "".join(f"  {key}: git\n" for key in keys)})
    mode = '{"spec":{"drift":{"mode":"Report"}}}'
    kubectl("patch", "tapp", "plain", "-n", controller.namespace, "--type=merge", "-p", mode)
    trimtab("reconcile", "plain", "--with-source", "--wait")
    by_hand = json.dumps({"data": dict.fromkeys(keys, "hand")})
    kubectl("patch", "configmap", "many", "-n", namespace, "--type=merge", "-p", by_hand)
    wait_for(lambda: is_true(status(kubectl, controller.namespace, "plain"), "Drifted"), what="reported drift")
    assert len(status(kubectl, controller.namespace, "plain")["drift"]) < len(keys)
    listed = json.loads(trimtab("drift", "plain", "-o", "json", code=1))
    assert {each["field"] for each in listed} == {f"data.{key}" for key in keys}
    assert {each["live"] for each in listed} == {'"hand"'}
