"""Applications out of an OCI registry, and what users see of sources that are no Git repositories."""

import json
import subprocess

import pytest
from tests.fixtures.cluster import wait_for
from tests.fixtures.controller import Trimtab
from tests.fixtures.oci_registry import PASSWORD, USERNAME, digest_of, tgz
from tests.fixtures.web_server import Page

from trimtab.source.oci_manifest import CHART_LAYER


def config_map(name, value):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}}
    return json.dumps(body)


@pytest.fixture
def registry(start_registry):
    return start_registry(passwords=True)


def declare_oci(lab, registry, name, **spec):
    lab.declare(
        "OCIRepository",
        name,
        {
            "url": f"oci://{registry.host}/{name}",
            "insecure": True,
            "interval": "10m",
            "secretRef": {"name": "registry"},
            **spec,
        },
    )


def put_secret(lab, name, **data):
    literals = [f"--from-literal={key.replace('_', '.')}={value}" for key, value in data.items()]
    lab.kubectl("create", "secret", "generic", name, "-n", lab.namespace, *literals)


def value(lab, name="settings"):
    found = lab.kubectl.run("get", "configmap", name, "-n", lab.namespace, "-o", "json")
    return json.loads(found.stdout)["data"]["value"] if found.returncode == 0 else ""


def test_an_application_follows_an_artifact(lab, registry):
    put_secret(lab, "registry", username=USERNAME, password=PASSWORD)
    digest = registry.push_files("shop", "1.0.0", {"deploy/settings.json": config_map("settings", "one")})
    notes = registry.push_files("notes", "latest", {"a": "b"})
    declare_oci(lab, registry, "shop", ref={"semver": "1.x"})
    declare_oci(lab, registry, "notes")
    source = {"name": "shop", "kind": "OCIRepository"}
    further = [{"name": "notes", "sourceRef": {"name": "notes", "kind": "OCIRepository"}}]
    lab.declare("Application", "shop", {"sourceRef": source, "sources": further, "path": "deploy", "prune": True})
    lab.wait_condition("shop", "Ready")
    status = lab.status("shop")
    assert status["lastAppliedRevision"] == f"1.0.0@{digest}"
    assert status["sources"] == [{"name": "notes", "revision": f"latest@{notes}"}]
    assert value(lab) == "one"
    told = lab.status("shop", "toci")["artifact"]
    assert (told["revision"], told["digest"]) == (f"1.0.0@{digest}", digest)

    newer = registry.push_files("shop", "1.1.0", {"deploy/settings.json": config_map("settings", "two")})
    lab.poke("shop", "toci")
    lab.wait_applied("shop", newer)
    assert value(lab) == "two"

    trimtab = Trimtab(lab.cluster, lab.namespace)
    assert "1.1.0@sha256:" in trimtab("get", "oci")
    assert "OCIRepository/shop suspended" in trimtab("suspend", "oci/shop")
    assert "True (suspended)" in trimtab("get", "oci/shop")
    assert "resumed" in trimtab("resume", "oci/shop")
    assert "Ready" in trimtab("get", "oci/shop")
    trimtab("reconcile", "shop", "--with-source", "--wait")
    assert "settings" not in trimtab("diff", "shop")
    registry.push_files("shop", "1.2.0", {"deploy/settings.json": config_map("settings", "three")})
    assert "three" in trimtab("diff", "shop", code=1)
    trimtab("reconcile", "oci/shop", "--wait")
    wait_for(lambda: value(lab) == "three")

    moved = registry.push_files("notes", "latest", {"a": "c"})
    lab.poke("notes", "toci")
    wait_for(lambda: lab.status("shop")["sources"] == [{"name": "notes", "revision": f"latest@{moved}"}])
    assert lab.condition("shop", "Ready")["status"] == "True"
    assert PASSWORD not in lab.controller.log()


def test_a_registry_that_goes_leaves_everything_as_it_is(lab, registry):
    put_secret(lab, "registry", username=USERNAME, password=PASSWORD)
    digest = registry.push_files("shop", "latest", {"settings.json": config_map("settings", "one")})
    declare_oci(lab, registry, "shop")
    source = {"name": "shop", "kind": "OCIRepository"}
    lab.declare("Application", "shop", {"sourceRef": source, "prune": True})
    lab.wait_applied("shop", digest)
    lab.controller.kill()
    declare_oci(lab, registry, "shop", url="oci://127.0.0.1:1/shop")
    lab.controller.start()
    found = lab.wait_condition("shop", "Ready", "False", of="toci")
    assert found["reason"] == "ConnectionFailed"
    assert lab.status("shop", "toci")["artifact"]["revision"] == f"latest@{digest}"
    assert value(lab) == "one"

    declare_oci(lab, registry, "shop", ref={"tag": "latest"})
    lab.wait_condition("shop", "Ready", of="toci")
    lab.kubectl("patch", "configmap", "settings", "-n", lab.namespace, "-p", '{"data": {"value": "edited"}}')
    wait_for(lambda: value(lab) == "one", what="the correction")


def test_an_unsigned_artifact_is_refused_and_a_wrong_password_told(lab, registry):
    put_secret(lab, "registry", username=USERNAME, password="wrong-canary")
    put_secret(lab, "keys", cosign_pub="no key")
    registry.push_files("shop", "latest", {"settings.json": config_map("settings", "one")})
    declare_oci(lab, registry, "shop")
    assert lab.wait_condition("shop", "Ready", "False", of="toci")["reason"] == "AuthenticationFailed"
    patch = json.dumps({"stringData": {"password": PASSWORD}})
    lab.kubectl("patch", "secret", "registry", "-n", lab.namespace, "-p", patch)
    declare_oci(lab, registry, "shop", verify={"provider": "cosign", "secretRef": {"name": "keys"}})
    lab.poke("shop", "toci")
    wait_for(lambda: lab.condition("shop", "Ready", of="toci").get("reason") == "SecretInvalid")
    events = lab.kubectl.run("get", "events", "-n", lab.namespace, "-o", "yaml").stdout
    everything = events + json.dumps(lab.status("shop", "toci")) + lab.controller.log() + lab.controller.metrics()
    assert "canary" not in everything


def test_charts_are_listed_and_chosen(lab, web, start_registry):
    packed = tgz({"web/Chart.yaml": "name: web", "web/settings.json": config_map("settings", "chart")})
    entry = {"version": "1.2.0", "urls": ["web.tgz"], "digest": digest_of(packed).removeprefix("sha256:")}
    web.routes["/index.yaml"] = Page(json.dumps({"apiVersion": "v1", "entries": {"web": [entry]}}).encode())
    web.routes["/web.tgz"] = Page(packed)
    lab.declare("HelmRepository", "charts", {"url": web.url, "interval": "10m"})
    lab.wait_condition("charts", "Ready", of="thelm")
    source = {"name": "charts", "kind": "HelmRepository"}
    spec = {"sourceRef": source, "chart": {"name": "nope"}, "prune": True}
    lab.declare("Application", "web", spec)
    assert lab.wait_condition("web", "Ready", "False")["reason"] == "ChartNotFound"
    lab.declare("Application", "web", spec | {"chart": {"name": "web", "version": "^1.0"}})
    expected = f"1.2.0@{digest_of(packed)}"
    wait_for(lambda: lab.status("web").get("lastAttemptedRevision") == expected)
    assert CHART_LAYER in _refusal(lab, "HelmRepository", {"url": "oci://registry.example/charts"})
    assert "chart goes with" in _refusal(lab, "Application", {"sourceRef": source, "prune": True})


def _refusal(lab, kind, spec):
    with pytest.raises((AssertionError, subprocess.CalledProcessError)) as refused:
        lab.declare(kind, "refused", spec)
    return f"{refused.value}{getattr(refused.value, 'stderr', '')}"
