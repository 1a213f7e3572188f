"""What the API server takes and refuses of our kinds, in the words that users will read."""

import json

import pytest
import yaml
from tests.fixtures.cluster import Kubectl, wait_for

from trimtab.api.crd import crds

REPOSITORY = {"url": "https://git.example.test/fleet.git"}
APPLICATION = {"sourceRef": {"name": "fleet"}, "prune": True}
KEYS = {"secretRef": {"name": "keys"}}
INVENTORY = {"application": {"name": "shop", "uid": "u1"}, "shard": 0, "shards": 2}


@pytest.fixture(scope="module", autouse=True)
def installed(cluster):
    kubectl = Kubectl(cluster)
    kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(crds()))

    def served() -> bool:
        return all(
            any(
                condition["type"] == "Established" and condition["status"] == "True"
                for condition in kubectl.get("crd", each["metadata"]["name"]).get("status", {}).get("conditions", [])
            )
            for each in crds()
        )

    wait_for(served)


def body(kind: str, spec: object) -> dict:
    return {"apiVersion": "trimtab.dev/v1alpha1", "kind": kind, "metadata": {"name": "one"}, "spec": spec}


def apply(kubectl: Kubectl, namespace: str, kind: str, spec: object, *flags: str):
    return kubectl.run(
        "apply", "--server-side", "-n", namespace, "-o", "json", *flags, "-f", "-", stdin=json.dumps(body(kind, spec))
    )


ACCEPTED = [
    (
        "GitRepository",
        {
            **REPOSITORY,
            "ignore": "/*\n!/deploy\n",
            "sparseCheckout": ["deploy"],
            "include": [{"repository": {"name": "x"}, "fromPath": "a", "toPath": "b"}, {"repository": {"name": "y"}}],
            "recurseSubmodules": True,
            "remoteBases": ["https://git.example", "https://git.example:8443/team/", "ssh://git@git.example/team"],
            "lfs": True,
        },
    ),
    ("GitRepository", REPOSITORY),
    ("GitRepository", {"url": "http://127.0.0.1:8080/fleet"}),
    ("GitRepository", {**REPOSITORY, "ref": {"branch": "feature/a-b_c.d"}}),
    ("GitRepository", {**REPOSITORY, "ref": {"tag": "v1.2.3"}}),
    ("GitRepository", {**REPOSITORY, "ref": {"semver": ">=1.2.0-0 <2.0.0 || ^3.x"}}),
    ("GitRepository", {**REPOSITORY, "ref": {"name": "refs/pull/420/head"}}),
    ("GitRepository", {**REPOSITORY, "ref": {"branch": "main", "commit": "a" * 40}}),
    ("GitRepository", {"url": "ssh://git@git.example.test:2222/fleet.git", "proxySecretRef": {"name": "proxy"}}),
    ("GitRepository", {**REPOSITORY, "provider": "github", "secretRef": {"name": "app"}}),
    ("GitRepository", {**REPOSITORY, "ref": {"commit": "a" * 40}, "interval": "1m30s", "secretRef": {"name": "x"}}),
    ("GitRepository", {**REPOSITORY, "timeout": "1h", "interval": "2h", "secretRef": {"name": "a-1.b"}}),
    ("GitRepository", {**REPOSITORY, "verify": {"secretRef": {"name": "keys"}}}),
    ("GitRepository", {**REPOSITORY, "verify": {"mode": "TagAndHEAD", **KEYS}, "ref": {"tag": "v1"}}),
    ("Application", APPLICATION),
    ("Application", {**APPLICATION, "decryption": {"provider": "sops", **KEYS}}),
    ("Application", {**APPLICATION, "path": ""}),
    ("Application", {**APPLICATION, "path": "./apps/..shop/"}),
    ("Application", {**APPLICATION, "targetNamespace": "shop", "createNamespace": True}),
    ("Application", {**APPLICATION, "createNamespace": False, "drift": {}}),
    ("Application", {**APPLICATION, "postBuild": {"substitute": {"A_1": "x", "_b": ""}}}),
    (
        "Application",
        {**APPLICATION, "postBuild": {"substituteFrom": [{"kind": "Secret", "name": "a"}], "strict": False}},
    ),
    ("Application", {**APPLICATION, "directory": {"include": "{*.yaml,x/*}", "jsonnet": {"libs": ["lib/..x"]}}}),
    ("Application", {**APPLICATION, "kustomize": {"components": ["../x"], "commonMetadata": {"labels": {"a": "b"}}}}),
    ("Application", {**APPLICATION, "kustomize": {"patches": [{"patch": "a", "target": {"kind": "X"}}]}}),
    ("Application", {**APPLICATION, "helm": {"values": {"a": {"b": [1, None]}}, "includeCRDs": False}}),
    (
        "Application",
        {**APPLICATION, "helm": {"valueFiles": ["../a.yaml", "$other/x.yaml"], "kubeVersion": "v1.30"}},
    ),
    ("Application", {**APPLICATION, "helm": {"valuesFrom": [{"kind": "Secret", "name": "s", "targetPath": "a[0].b"}]}}),
    ("Application", {**APPLICATION, "helm": {"apiVersions": ["v1", "apps/v1/Deployment"], "releaseName": "a.b-c"}}),
    ("Inventory", INVENTORY),
    ("Inventory", {**INVENTORY, "entries": [{"key": "local||Service|a|b", "version": "v1", "state": "Intended"}]}),
]

REFUSED = [
    ("Application", {**APPLICATION, "helm": {"releaseName": "--flag"}}, "spec.helm.releaseName in body should match"),
    ("Application", {**APPLICATION, "helm": {"kubeVersion": "-x"}}, "spec.helm.kubeVersion in body should match"),
    ("Application", {**APPLICATION, "helm": {"apiVersions": ["a,b"]}}, "spec.helm.apiVersions[0] in body should match"),
    ("Application", {**APPLICATION, "helm": {"values": []}}, ".spec.helm.values: expected map"),
    ("Application", {**APPLICATION, "helm": {"valueFiles": ["/etc/passwd"]}}, "must be a path relative to the chart"),
    ("Application", {**APPLICATION, "helm": {"valueFiles": ["https://x/y"]}}, "must be a path relative to the chart"),
    ("Application", {**APPLICATION, "helm": {"valuesFrom": [{"kind": "Pod", "name": "a"}]}}, "Unsupported value"),
    ("GitRepository", {**REPOSITORY, "verify": {"mode": "Tag", **KEYS}}, "need a ref that names an annotated tag"),
    (
        "GitRepository",
        {**REPOSITORY, "verify": {"mode": "TagAndHEAD", **KEYS}, "ref": {"branch": "main"}},
        "need a ref that names an annotated tag",
    ),
    ("GitRepository", {**REPOSITORY, "verify": {"mode": "Any", **KEYS}}, "Unsupported value"),
    ("GitRepository", {**REPOSITORY, "verify": {"mode": "HEAD"}}, "secretRef: Required value"),
    ("Application", {**APPLICATION, "decryption": {"provider": "gpg", **KEYS}}, "Unsupported value"),
    ("Application", {**APPLICATION, "decryption": {"provider": "sops"}}, "secretRef: Required value"),
    ("GitRepository", {**REPOSITORY, "sparseCheckout": ["/etc"]}, "must be relative to the repository's root"),
    ("GitRepository", {**REPOSITORY, "sparseCheckout": ["a/../b"]}, "must stay inside the repository"),
    ("GitRepository", {**REPOSITORY, "remoteBases": ["git.example/team"]}, "remoteBases must be URLs like"),
    ("GitRepository", {**REPOSITORY, "remoteBases": ["https://ada:x@git.example"]}, "remoteBases must be URLs like"),
    ("GitRepository", {**REPOSITORY, "remoteBases": ["https://git.example/?a"]}, "remoteBases must be URLs like"),
    ("GitRepository", {**REPOSITORY, "remoteBases": ["ssh://git@git.example"]}, "remoteBases must be URLs like"),
    (
        "GitRepository",
        {**REPOSITORY, "include": [{"repository": {"name": "x"}, "toPath": "../x"}]},
        "must stay inside the repository",
    ),
    ("GitRepository", {}, "spec.url: Required value"),
    ("GitRepository", {"url": "git@git.example.test:x"}, "url must start with https://, http:// or ssh://"),
    ("GitRepository", {"url": "/srv/git"}, "url must start with https://, http:// or ssh://"),
    ("GitRepository", {"url": "ssh://git:hunter2@git.example.test/x"}, "url must hold no user name"),
    ("GitRepository", {"url": "https://git.example.test/a b"}, "url must hold no spaces"),
    ("GitRepository", {"url": "https://git.example.test/a\n"}, "url must hold no spaces"),
    ("GitRepository", {**REPOSITORY, "ref": {}}, "set exactly one of branch, tag, semver"),
    ("GitRepository", {**REPOSITORY, "ref": {"branch": "a", "tag": "b"}}, "set exactly one of branch, tag, semver"),
    ("GitRepository", {**REPOSITORY, "ref": {"semver": "1.x", "commit": "a" * 40}}, "set exactly one of branch, tag"),
    ("GitRepository", {**REPOSITORY, "ref": {"semver": "`x`"}}, "should match"),
    ("GitRepository", {**REPOSITORY, "ref": {"name": "main"}}, "should be at least 6 chars long"),
    ("GitRepository", {**REPOSITORY, "ref": {"name": "heads/main"}}, "must be the full name of a Git ref"),
    ("GitRepository", {**REPOSITORY, "provider": "azure"}, "Unsupported value"),
    ("GitRepository", {**REPOSITORY, "ref": {"branch": "--upload-pack=x"}}, "must be a Git ref name"),
    ("GitRepository", {**REPOSITORY, "ref": {"branch": "a..b"}}, "must be a Git ref name"),
    ("GitRepository", {**REPOSITORY, "ref": {"tag": "a b"}}, "must be a Git ref name"),
    ("GitRepository", {**REPOSITORY, "ref": {"commit": "abc"}}, "should match"),
    ("GitRepository", {**REPOSITORY, "interval": "10ms"}, "must be at least one second"),
    ("GitRepository", {**REPOSITORY, "timeout": "5 minutes"}, "should match"),
    ("GitRepository", {**REPOSITORY, "timeout": "61m"}, "must be at most one hour"),
    ("GitRepository", {**REPOSITORY, "secretRef": {"name": "../../x"}}, "should match"),
    ("GitRepository", {**REPOSITORY, "secretRef": {}}, "spec.secretRef.name: Required value"),
    ("Application", {"sourceRef": {"name": "fleet"}}, "spec.prune: Required value"),
    ("Application", {"prune": True}, "spec.sourceRef: Required value"),
    ("Application", {**APPLICATION, "sourceRef": {"kind": "Bucket", "name": "x"}}, 'supported values: "GitRepository"'),
    ("Application", {**APPLICATION, "path": "/apps"}, "must be relative to the repository's root"),
    ("Application", {**APPLICATION, "path": "apps/../../x"}, "must stay inside the repository"),
    ("Application", {**APPLICATION, "path": "a\\b"}, "must hold no control characters or backslashes"),
    ("Application", {**APPLICATION, "createNamespace": True}, "createNamespace needs targetNamespace"),
    ("Application", {**APPLICATION, "targetNamespace": "No_Name"}, "spec.targetNamespace"),
    ("Application", {**APPLICATION, "adopt": "Sometimes"}, 'supported values: "Never", "IfUnowned", "Always"'),
    ("Application", {**APPLICATION, "drift": {"mode": "correct"}}, 'supported values: "Correct", "Report", "Ignore"'),
    ("Application", {**APPLICATION, "timeout": "0s"}, "must be at least one second"),
    ("Application", {**APPLICATION, "postBuild": {"substitute": {"a-b": "x"}}}, "names of variables hold letters"),
    ("Application", {**APPLICATION, "postBuild": {"substituteStrategy": "Never"}}, '"WithVariables", "Always"'),
    (
        "Application",
        {**APPLICATION, "postBuild": {"substituteFrom": [{"kind": "Pod", "name": "a"}]}},
        'supported values: "ConfigMap", "Secret"',
    ),
    ("Application", {**APPLICATION, "kustomize": {"components": ["/x"]}}, "must be relative to the path"),
    (
        "Application",
        {**APPLICATION, "kustomize": {"replicas": [{"name": "a", "count": -1}]}},
        "greater than or equal to 0",
    ),
    ("Application", {**APPLICATION, "directory": {"jsonnet": {"libs": ["../x"]}}}, "a folder inside the repository"),
    ("Inventory", {**INVENTORY, "shard": 2}, "shard counts from 0 to shards - 1"),
    ("Inventory", {**INVENTORY, "entries": [{"key": "a", "version": "v1", "state": "Gone"}]}, "spec.entries[0]"),
]


@pytest.mark.parametrize(("kind", "spec"), ACCEPTED)
def test_accepted(kubectl, namespace, kind, spec):
    result = apply(kubectl, namespace, kind, spec, "--dry-run=server")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("kind", "spec", "words"), REFUSED)
def test_refused(kubectl, namespace, kind, spec, words):
    result = apply(kubectl, namespace, kind, spec, "--dry-run=server")
    assert result.returncode != 0
    assert words in result.stderr


def test_a_password_in_a_url_is_refused_and_not_repeated(kubectl, namespace):
    result = apply(kubectl, namespace, "GitRepository", {"url": "https://me:hunter2@git.example.test/x"})
    assert result.returncode != 0
    assert "put them into a Secret and name it in secretRef" in result.stderr
    assert "hunter2" not in result.stderr


def test_defaults_are_shown(kubectl, namespace):
    apply(kubectl, namespace, "Application", APPLICATION)
    assert kubectl.get("tapp", "one", "-n", namespace)["spec"] == {
        "sourceRef": {"kind": "GitRepository", "name": "fleet"},
        "prune": True,
        "path": ".",
        "createNamespace": False,
        "deletionPolicy": "Delete",
        "adopt": "IfUnowned",
        "interval": "10m",
        "timeout": "5m",
        "wait": False,
        "suspend": False,
        "drift": {"mode": "Correct"},
    }
    apply(kubectl, namespace, "GitRepository", REPOSITORY)
    assert kubectl.get("tgit", "one", "-n", namespace)["spec"] == {
        **REPOSITORY,
        "interval": "1m",
        "timeout": "1m",
        "recurseSubmodules": False,
        "lfs": False,
        "suspend": False,
    }


def test_a_tag_may_follow_the_default_branch(kubectl, namespace):
    apply(kubectl, namespace, "GitRepository", REPOSITORY)
    result = apply(kubectl, namespace, "GitRepository", {**REPOSITORY, "ref": {"tag": "v1"}})
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["spec"]["ref"] == {"tag": "v1"}


def test_an_inventory_stays_with_its_application_and_shard(kubectl, namespace):
    assert apply(kubectl, namespace, "Inventory", INVENTORY).returncode == 0
    assert apply(kubectl, namespace, "Inventory", {**INVENTORY, "shards": 4}).returncode == 0
    for change in ({"shard": 1}, {"application": {"name": "shop", "uid": "u2"}}):
        result = apply(kubectl, namespace, "Inventory", {**INVENTORY, "shards": 4, **change})
        assert "application and shard never change" in result.stderr


def test_status_is_kept_apart_and_shown_in_columns(kubectl, namespace):
    apply(kubectl, namespace, "Application", APPLICATION)
    condition = {"lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Applied", "message": "applied it"}
    status = {
        "observedGeneration": 1,
        "conditions": [{"type": "Ready", "status": "True", **condition}],
        "lastAppliedRevision": "main@sha1:abc",
        "inventory": {"objects": 35, "ready": 30, "drifted": 2},
    }
    kubectl("patch", "tapp", "one", "-n", namespace, "--type=merge", "-p", json.dumps({"status": status}))
    assert "status" not in kubectl.get("tapp", "one", "-n", namespace)
    patch = json.dumps({"status": status})
    kubectl("patch", "tapp", "one", "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)
    assert kubectl.get("tapp", "one", "-n", namespace)["status"] == status
    table = kubectl("get", "tapp", "-n", namespace)
    assert " ".join(table.split("\n")[0].split()) == "NAME READY HEALTHY OBJECTS DRIFTED REVISION STATUS AGE"
    assert "True" in table
    assert "main@sha1:abc" in table
    assert "applied it" in table


def test_conditions_are_held_to_the_common_form(kubectl, namespace):
    apply(kubectl, namespace, "Application", APPLICATION)
    patch = json.dumps({"status": {"conditions": [{"type": "Ready", "status": "Perhaps"}]}})
    result = kubectl.run("patch", "tapp", "one", "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)
    assert result.returncode != 0
    assert 'supported values: "True", "False", "Unknown"' in result.stderr


def test_the_category_lists_all_kinds(kubectl, namespace):
    apply(kubectl, namespace, "Application", APPLICATION)
    apply(kubectl, namespace, "GitRepository", REPOSITORY)
    apply(kubectl, namespace, "Inventory", INVENTORY)
    names = kubectl("get", "trimtab", "-n", namespace, "-o", "name").split()
    assert sorted(names) == [
        "application.trimtab.dev/one",
        "gitrepository.trimtab.dev/one",
        "inventory.trimtab.dev/one",
    ]


def test_a_null_among_a_charts_values_is_kept(kubectl, namespace):
    """By the server; kubectl takes it away before unless it applies server-side."""
    values = {"gone": None, "deep": {"gone": None, "kept": 1}, "list": [None]}
    made = body("Application", {**APPLICATION, "helm": {"values": values}})
    kubectl("apply", "--server-side", "-n", namespace, "-f", "-", stdin=json.dumps(made))
    assert kubectl.get("tapp", "one", "-n", namespace)["spec"]["helm"]["values"] == values
