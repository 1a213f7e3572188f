"""Charts of many kinds: what is made of them equals what the helm program itself writes for the same values."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.integration.render.conftest import FolderTree, job

from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.core.errors import RenderError
from trimtab.render.inputs import Capabilities, InputRef, RenderInputs

CHARTS = Path(__file__).parent / "charts"
CAPABILITIES = Capabilities("v1.36.3", ("apps/v1", "apps/v1/Deployment", "v1", "v1/Pod"))
MONITORED = replace(CAPABILITIES, api_versions=("monitoring.coreos.com/v1", "monitoring.coreos.com/v1/ServiceMonitor"))


@pytest.fixture
def renderer(programs, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return KustomizeRenderer(kustomize=programs["kustomize"], helm=programs["helm"], scratch=scratch)


@pytest.fixture
def by_helm(programs, tmp_path):
    """All objects that the helm program writes by itself, without any bound."""

    def run(chart, *arguments, values=None):
        done = subprocess.run(
            [programs["helm"], "template", "rel", chart, "--namespace", "shop", "--values", "-", *arguments],
            input=json.dumps(values or {}),
            capture_output=True,
            text=True,
            env={"HOME": str(tmp_path)},
            check=True,
        )
        return [document for document in yaml.safe_load_all(done.stdout) if document]

    return run


def chart_job(root, path, *, capabilities=CAPABILITIES, objects=None, **helm):
    made = job(FolderTree(root), path, targetNamespace="shop", helm={"releaseName": "rel"} | helm)
    inputs = RenderInputs(objects=objects or {}, capabilities=capabilities)
    return replace(made, name="app", namespace="team", inputs=inputs)


def flags(capabilities):
    joined = ",".join(capabilities.api_versions)
    return ["--kube-version", capabilities.kube_version, "--api-versions", joined]


def ordered(bodies):
    return sorted(json.dumps(body, sort_keys=True) for body in bodies)


def build_dependencies(helm, folder, home):
    """What a user's own helm makes of local dependencies: packed charts and a lock."""
    subprocess.run([helm, "dependency", "build", folder], check=True, capture_output=True, env={"HOME": str(home)})


CASES = [
    ("plain", {}),
    ("plain", {"replicas": None, "image": {"tag": "v2"}, "labels": {"team": "a"}, "big": 7654321}),
    ("plain", {"serviceAccount": {"create": False}, "service": {"port": 8080, "type": "NodePort"}}),
    ("hooks", {}),
    ("subcharts", {}),
    ("subcharts", {"db": {"enabled": False}, "tags": {"back": True}}),
    ("subcharts", {"tags": {"back": False, "front": False}, "global": {"zone": "south"}}),
    ("crds", {}),
    ("schema", {}),
    ("schema", {"mode": "safe", "replicas": 3, "host": "a.b"}),
    ("lookup", {}),
    ("capabilities", {}),
    ("tpl", {}),
    ("tpl", {"host": "{{ .Chart.Name }}-{{ .Release.Namespace }}", "extra": [{"name": "b", "value": {"c": [1, 2.5]}}]}),
    ("notes", {}),
]


@pytest.mark.parametrize(("chart", "values"), CASES, ids=[f"{chart}-{n}" for n, (chart, _) in enumerate(CASES)])
async def test_charts_become_what_helm_makes_of_them(renderer, by_helm, tmp_path, chart, values):
    rendered = await renderer.render(chart_job(CHARTS, chart, values=values))
    ours = [manifest.body for manifest in rendered.manifests] + [hook.body for hook in rendered.hooks]
    theirs = by_helm(CHARTS / chart, "--include-crds", *flags(CAPABILITIES), values=values)
    assert ordered(ours) == ordered(theirs)
    assert len(ours) > 0
    assert rendered.folders == (("", chart),)
    assert rendered.keeps_namespaces
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_crds_may_be_left_out(renderer, by_helm):
    rendered = await renderer.render(chart_job(CHARTS, "crds", includeCRDs=False))
    assert [manifest.body for manifest in rendered.manifests] == by_helm(CHARTS / "crds")
    assert [str(manifest.ref.kind) for manifest in rendered.manifests] == ["One"]


async def test_a_library_in_the_same_source_is_copied_and_counts(renderer, by_helm, programs, tmp_path):
    rendered = await renderer.render(chart_job(CHARTS, "library/app"))
    copy = tmp_path / "built"
    shutil.copytree(CHARTS / "library", copy)
    build_dependencies(programs["helm"], copy / "app", tmp_path)
    assert [manifest.body for manifest in rendered.manifests] == by_helm(copy / "app")
    assert rendered.folders == (("", "library/app"), ("", "library/common"))
    assert str(rendered.manifests[0].origin) == "library/app/templates/all.yaml"


async def test_packed_charts_are_used_as_they_are(renderer, by_helm, programs, tmp_path):
    shutil.copytree(CHARTS / "library", tmp_path / "packed")
    build_dependencies(programs["helm"], tmp_path / "packed/app", tmp_path)
    shutil.rmtree(tmp_path / "packed/common")
    rendered = await renderer.render(chart_job(tmp_path / "packed", "app"))
    assert [manifest.body for manifest in rendered.manifests] == by_helm(tmp_path / "packed/app")
    assert rendered.folders == (("", "app"),)
    assert rendered.reads_capabilities  # nobody looks into the archive


async def test_a_library_renders_nothing_by_itself(renderer):
    with pytest.raises(RenderError, match=r"library/common/Chart.yaml: a library chart renders nothing by itself"):
        await renderer.render(chart_job(CHARTS, "library/common"))


async def test_a_chart_empty_by_condition_is_told_like_an_empty_folder(renderer):
    with pytest.raises(RenderError) as caught:
        await renderer.render(chart_job(CHARTS, "empty"))
    assert (caught.value.reason, str(caught.value.problems[0].origin)) == ("NoManifests", "empty")
    rendered = await renderer.render(chart_job(CHARTS, "empty", values={"enabled": True}))
    assert [manifest.ref.name for manifest in rendered.manifests] == ["now"]


async def test_all_violations_of_a_schema_are_told(renderer):
    values = {"mode": "odd", "replicas": "many", "host": "UPPER"}
    with pytest.raises(RenderError) as caught:
        await renderer.render(chart_job(CHARTS, "schema", values=values))
    found = sorted(str(problem) for problem in caught.value.problems)
    assert len(found) == 3
    assert all(text.startswith("schema/values.schema.json: values at '/") for text in found)
    assert "UPPER" not in str(found)


@pytest.mark.parametrize(
    ("capabilities", "kinds"), [(CAPABILITIES, ["ConfigMap"]), (MONITORED, ["ConfigMap", "ServiceMonitor"])]
)
async def test_the_clusters_version_and_apis_are_what_charts_see(renderer, by_helm, capabilities, kinds):
    rendered = await renderer.render(chart_job(CHARTS, "capabilities", capabilities=capabilities))
    assert sorted(manifest.ref.kind for manifest in rendered.manifests) == kinds
    theirs = by_helm(CHARTS / "capabilities", *flags(capabilities))
    assert ordered(manifest.body for manifest in rendered.manifests) == ordered(theirs)
    assert rendered.reads_capabilities
    assert rendered.manifests[0].body["data"]["version"] == "v1.36.3"


async def test_the_spec_overrides_what_charts_see(renderer):
    made = chart_job(CHARTS, "capabilities", kubeVersion="1.31.2", apiVersions=list(MONITORED.api_versions))
    rendered = await renderer.render(made)
    found = {manifest.ref.kind: manifest.body.get("data") for manifest in rendered.manifests}
    assert found == {"ConfigMap": {"version": "v1.31.2", "minor": "31"}, "ServiceMonitor": None}


async def test_a_version_that_the_chart_does_not_take_is_refused(renderer):
    with pytest.raises(RenderError, match=r"capabilities/Chart.yaml: helm: chart requires kubeVersion: >=1.30.0-0"):
        await renderer.render(chart_job(CHARTS, "capabilities", kubeVersion="1.29.0"))


async def test_charts_that_do_not_ask_for_the_cluster_do_not_depend_on_it(renderer):
    rendered = await renderer.render(chart_job(CHARTS, "plain"))
    assert not rendered.reads_capabilities
    asks = await renderer.render(chart_job(CHARTS, "tpl", values={"host": "{{ .Capabilities.KubeVersion }}"}))
    assert asks.reads_capabilities


@pytest.mark.parametrize(
    ("chart", "origins"),
    [
        (
            "plain",
            {
                "Deployment/rel-plain": "plain/templates/deployment.yaml:2",
                "Service/rel-plain": "plain/templates/network.yaml",
                "Service/rel-plain-headless": "plain/templates/network.yaml:9",
                "ServiceAccount/rel-plain": "plain/templates/network.yaml:18",
            },
        ),
        (
            "subcharts",
            {
                "ConfigMap/own": "subcharts/templates/own.yaml:1",
                "ConfigMap/rel-cache": "subcharts/charts/database/templates/store.yaml:1",
                "ConfigMap/rel-db": "subcharts/charts/database/templates/store.yaml:1",
                "ConfigMap/rel-web": "subcharts/charts/web/templates/page.yaml:1",
            },
        ),
        (
            "crds",
            {
                "CustomResourceDefinition/ones.example.com": "crds/crds/two.yaml:1",
                "CustomResourceDefinition/twos.example.com": "crds/crds/two.yaml:6",
                "One/one": "crds/templates/one.yaml:1",
            },
        ),
        ("notes", {"ConfigMap/config": "notes/templates/config.yaml:1"}),
    ],
)
async def test_objects_know_their_template(renderer, chart, origins):
    rendered = await renderer.render(chart_job(CHARTS, chart))
    assert {f"{m.ref.kind}/{m.ref.name}": str(m.origin) for m in rendered.manifests} == origins


async def test_hooks_are_beside_the_manifests(renderer):
    rendered = await renderer.render(chart_job(CHARTS, "hooks"))
    assert [manifest.ref.name for manifest in rendered.manifests] == ["lasting"]
    found = {str(hook): (sorted(hook.phases), hook.weight, sorted(hook.delete_policies)) for hook in rendered.hooks}
    policies = ["before-hook-creation", "hook-succeeded"]
    assert found == {
        "Job/pre-install-pre-upgrade-*": (["PreApply"], -5, policies),
        "Job/post-install-*": (["PostApply"], 5, policies),
        "Job/pre-delete-*": (["PreDelete"], 0, policies),
        "Pod/works": (["Test"], 0, ["before-hook-creation"]),
    }
    without = await renderer.render(chart_job(CHARTS, "hooks", skipTests=True))
    assert "Pod/works" not in {str(hook) for hook in without.hooks}
    assert len(without.hooks) == 3


async def test_a_chart_artifact_holds_its_chart_in_one_folder(renderer, by_helm, tmp_path):
    root = tmp_path / "artifact"
    shutil.copytree(CHARTS / "plain", root / "plain")
    rendered = await renderer.render(chart_job(root, "."))
    theirs = by_helm(CHARTS / "plain", *flags(CAPABILITIES))
    assert ordered(manifest.body for manifest in rendered.manifests) == ordered(theirs)


async def test_the_release_is_named_after_the_application(renderer):
    made = job(FolderTree(CHARTS), "notes")
    rendered = await renderer.render(replace(made, name="a" * 60, namespace="team"))
    assert len(rendered.manifests) == 1
    plain = await renderer.render(replace(job(FolderTree(CHARTS), "plain"), name="web", namespace="team"))
    account = next(m for m in plain.manifests if m.ref.kind == "ServiceAccount")
    assert (account.ref.name, account.ref.namespace) == ("web-plain", "team")


VALUES = InputRef("ConfigMap", "values")
SECRET = InputRef("Secret", "secret")


async def test_values_of_every_place_are_merged_as_helm_merges_them(renderer, by_helm, tmp_path):
    files = {"one.yaml": "a: 1\nb: {c: 1, d: 1}\nl: [1, 2]\n", "two.yaml": "b: {c: 2}\nl: [3]\ngone: 1\nn: null\n"}
    root = tmp_path / "source"
    (root / "chart/templates").mkdir(parents=True)
    (root / "values").mkdir()
    (root / "chart/Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
    (root / "chart/values.yaml").write_text("own: kept\nn: own\ngone: {x: 1}\nb: {own: 1, d: 0}\n")
    show = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\ndata: {all: {{ .Values | toJson | quote }}}\n"
    (root / "chart/templates/show.yaml").write_text(show)
    for name, text in files.items():
        (root / "values" / name).write_text(text)
    objects = {
        VALUES: {"values.yaml": b"from: map\nb: {c: 3}\n", "one": b"42", "list": b"{x,y}", "long": b"1234567"},
        SECRET: {"values.yaml": b"from: secret\npassword: hunter22\n", "quoted": b"'true'", "odd": b"a,b=c{}"},
    }
    references = [
        {"kind": "ConfigMap", "name": "values"},
        {"kind": "Secret", "name": "secret"},
        {"kind": "ConfigMap", "name": "values", "valuesKey": "one", "targetPath": "b.set[1].n"},
        {"kind": "ConfigMap", "name": "values", "valuesKey": "list", "targetPath": r"b.with\.dot"},
        {"kind": "Secret", "name": "secret", "valuesKey": "quoted", "targetPath": "text"},
        {"kind": "Secret", "name": "secret", "valuesKey": "odd", "targetPath": "odd", "literal": True},
        {"kind": "Secret", "name": "absent", "optional": True},
    ]
    made = chart_job(
        root,
        "chart",
        objects=objects,
        valueFiles=["../values/one.yaml", "../values/two.yaml", "absent.yaml"],
        ignoreMissingValueFiles=True,
        valuesFrom=references,
        values={"inline": {"x": None}, "gone": None, "a": "over"},
    )
    rendered = await renderer.render(made)
    secret = tmp_path / "secret.yaml"
    secret.write_text("from: secret\npassword: hunter22\n")
    config = tmp_path / "config.yaml"
    config.write_text("from: map\nb: {c: 3}\n")
    last = tmp_path / "last.yaml"
    last.write_text(json.dumps({"inline": {"x": None}, "gone": None, "a": "over"}))
    odd = tmp_path / "odd"
    odd.write_text("a,b=c{}")
    between = tmp_path / "between.yaml"
    between.write_text(
        json.dumps({"b": {"set": [None, {"n": 42}], "with.dot": ["x", "y"]}, "text": "true", "odd": "a,b=c{}"})
    )
    order = [root / "values/one.yaml", root / "values/two.yaml", config, secret, between, last]
    theirs = by_helm(root / "chart", *(part for file in order for part in ("--values", str(file))))
    (ours,) = rendered.manifests
    assert json.loads(ours.body["data"]["all"]) == json.loads(theirs[0]["data"]["all"])
    assert rendered.folders == (("", "chart"), ("", "values"))


async def test_values_of_further_sources_count_with_their_folder(renderer, tmp_path):
    other = tmp_path / "other"
    (other / "prod").mkdir(parents=True)
    (other / "prod/values.yaml").write_text("replicas: 7\n")
    made = chart_job(CHARTS, "plain", valueFiles=["$config/prod/values.yaml"])
    rendered = await renderer.render(replace(made, others={"config": FolderTree(other)}))
    deployment = next(m for m in rendered.manifests if m.ref.kind == "Deployment")
    assert deployment.body["spec"]["replicas"] == 7
    assert rendered.folders == (("", "plain"), ("config", "prod"))
