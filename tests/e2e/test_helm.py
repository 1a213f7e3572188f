"""Helm charts from a repository to a cluster: values, the cluster's own APIs, hooks, and errors by file and line."""

import json

from tests.fixtures.cluster import wait_for
from tests.fixtures.lab import Lab

CHART = {
    "web/Chart.yaml": 'apiVersion: v2\nname: web\nversion: 0.1.0\nkubeVersion: ">=1.30.0-0"\n',
    "web/values.yaml": "own: chart\ngone: chart\n",
    "web/templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-config}\n"
    'data:\n  own: {{ .Values.own }}\n  gone: {{ .Values.gone | default "nothing" }}\n'
    "  prod: {{ .Values.prod | quote }}\n"
    '  apps: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}\n'
    '  ours: {{ .Capabilities.APIVersions.Has "trimtab.dev/v1alpha1/Application" | quote }}\n'
    "  version: {{ .Capabilities.KubeVersion.Version }}\n",
    "web/templates/hook.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n"
    "  annotations: {helm.sh/hook: pre-upgrade}\nspec: {}\n",
    "envs/prod/values.yaml": "prod: true\ngone: null\n",
    "README.md": "words\n",
}


def config(lab: Lab) -> dict[str, str]:
    """The data of the chart's ConfigMap."""
    data: dict[str, str] = lab.kubectl.get("configmap", "shop-config", "-n", lab.namespace)["data"]
    return data


def test_a_chart_is_applied_with_values_and_the_clusters_own_apis(lab: Lab) -> None:
    repository = lab.repository("fleet", CHART)
    helm = {"valueFiles": ["../envs/prod/values.yaml"], "values": {"own": "spec"}}
    lab.application("shop", "fleet", "web", helm=helm)
    lab.wait_applied("shop", repository.sha())
    assert config(lab) == {
        "own": "spec",
        "gone": "nothing",
        "prod": "true",
        "apps": "true",
        "ours": "true",
        "version": server_version(lab),
    }
    ready = lab.condition("shop", "Ready")
    assert ready["message"].endswith("; Helm hooks are not run: Job/migrate-* (pre-upgrade)")
    assert lab.kubectl.get("jobs", "-n", lab.namespace)["items"] == []

    repository.commit({"README.md": "other words\n"}, "Words")
    lab.poke("fleet")
    lab.wait_applied("shop", repository.sha())
    repository.commit({"web/templates/config.yaml": "a: 1\n\nb: {{ fail `no` }}\n"}, "Break it")
    lab.poke("fleet")
    wait_for(lambda: lab.status("shop").get("errors"), what="the error")
    (error,) = lab.status("shop")["errors"]
    assert (error["file"], error["line"], error["message"]) == (
        "web/templates/config.yaml",
        3,
        "helm: no (try: helm template web)",
    )
    assert config(lab)["own"] == "spec"


def server_version(lab: Lab) -> str:
    """The version that the server tells."""
    return str(json.loads(lab.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"])
