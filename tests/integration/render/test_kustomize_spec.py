"""spec.kustomize: the same as kustomize itself builds from the kustomization that it stands for, with places kept."""

import shutil
import subprocess
from typing import Any

import pytest
import yaml
from tests.integration.render.conftest import job

from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.core.errors import RenderError
from trimtab.render.documents import read_file

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: nginx, envFrom: [{configMapRef: {name: settings}}]}
        - {name: side, image: example.org/side:1}
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata: {mode: fast}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}}\n"
COMPONENT = (
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n"
    "  - target: {kind: Service}\n    patch: |\n      - {op: add, path: /spec/type, value: NodePort}\n"
)
FILES = {
    "apps/shop/kustomization.yaml": "namePrefix: old-\nresources: [web.yaml, settings.yaml, ../base]\n"
    "images: [{name: nginx, newTag: '1'}, {name: example.org/side, newTag: '2'}]\nreplicas: [{name: web, count: 2}]\n"
    'patches: [{target: {kind: ConfigMap}, patch: \'[{"op": "add", "path": "/data/first", "value": "here"}]\'}]\n',
    "apps/shop/web.yaml": "# words\n" + DEPLOYMENT,
    "apps/shop/settings.yaml": SETTINGS,
    "apps/base/kustomization.yaml": "resources: [service.yaml]\n",
    "apps/base/service.yaml": SERVICE,
    "components/open/kustomization.yaml": COMPONENT,
    "plain/web.yaml": "# words\n" + DEPLOYMENT,
    "plain/sub/settings.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}',
    "plain/sub/data.json": '{"no": "manifest"}',
    "plain/sub/empty.yaml": "# nothing\n",
    "plain/more/kustomization.yaml": "resources: [service.yaml]\nnameSuffix: -in\n",
    "plain/more/service.yaml": SERVICE,
}
PATCHES = [
    {"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n"},
    {
        "patch": "- {op: add, path: /metadata/labels, value: {note: patched}}\n",
        "target": {"kind": "ConfigMap|Service", "labelSelector": "!none"},
    },
    {
        "patch": "- {op: replace, path: /metadata/name, value: renamed}\n",
        "target": {"kind": "ConfigMap"},
        "options": {"allowNameChange": True},
    },
]
SPECS: dict[str, dict[str, Any]] = {
    "prefix": {"namePrefix": "new-"},
    "suffix": {"nameSuffix": "-end"},
    "no prefix": {"namePrefix": ""},
    "patches": {"patches": PATCHES},
    "images": {"images": [{"name": "nginx", "newName": "caddy", "newTag": "3"}, {"name": "x", "digest": "sha256:0"}]},
    "replicas": {"replicas": [{"name": "web", "count": 0}]},
    "components": {"components": ["../../components/open"]},
    "all": {
        "namePrefix": "new-",
        "patches": PATCHES,
        "images": [{"name": "nginx", "newTag": "9"}],
        "replicas": [{"name": "web", "count": 5}],
        "components": ["../../components/open"],
    },
}


@pytest.fixture
def render(programs, repository):
    renderer = KustomizeRenderer(kustomize=programs["kustomize"])

    async def start(path, kustomize, files=FILES, **spec):
        return await renderer.render(job(repository(files), path, kustomize=kustomize, **spec))

    return start


@pytest.fixture
def kustomize(programs, tmp_path):
    """What kustomize itself builds in a folder whose kustomization was changed by a function."""

    def build(files, path, change):
        root = tmp_path / "by-hand"
        shutil.rmtree(root, ignore_errors=True)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        file = root / path / "kustomization.yaml"
        content = yaml.safe_load(file.read_text()) if file.is_file() else {}
        change(content)
        file.write_text(yaml.safe_dump(content))
        command = [programs["kustomize"], "build", str(root / path), "--load-restrictor", "LoadRestrictionsNone"]
        done = subprocess.run(command, capture_output=True, check=True)
        return [document.value for document in read_file(done.stdout, "x").documents]

    return build


def by_hand(spec):
    """What a user would do to the file to say the same."""

    def change(content):
        content.update({key: spec[key] for key in ("namePrefix", "nameSuffix") if key in spec})
        for key in ("patches", "components"):
            content.setdefault(key, []).extend(spec.get(key, []))
        for key in ("images", "replicas"):
            names = {each["name"] for each in spec.get(key, [])}
            content[key] = [each for each in content.get(key, []) if each["name"] not in names] + spec.get(key, [])

    return change


def bodies(rendered):
    return sorted((manifest.body for manifest in rendered.manifests), key=str)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
async def test_a_kustomization_is_changed_as_by_hand(render, kustomize, spec):
    rendered = await render("apps/shop", spec)
    assert bodies(rendered) == sorted(kustomize(FILES, "apps/shop", by_hand(spec)), key=str)
    assert len(rendered.manifests) == 3


@pytest.mark.parametrize(
    "spec", [{**SPECS[name], "components": ["../components/open"]} for name in ("prefix", "patches", "all")]
)
async def test_a_plain_folder_is_a_kustomization_of_all_its_manifests(render, kustomize, spec):
    rendered = await render("plain", spec)

    def change(content):
        content["resources"] = ["sub/settings.json", "web.yaml", "more"]
        by_hand(spec)(content)

    assert bodies(rendered) == sorted(kustomize(FILES, "plain", change), key=str)
    places = {manifest.ref.kind: str(manifest.origin) for manifest in rendered.manifests}
    assert places == {
        "Deployment": "plain/web.yaml:2",
        "ConfigMap": "plain/sub/settings.json:1",
        "Service": "plain/more/service.yaml:1",
    }


async def test_places_and_folders_of_a_changed_kustomization(render):
    rendered = await render("apps/shop", SPECS["all"])
    assert {manifest.ref.kind: str(manifest.origin) for manifest in rendered.manifests} == {
        "Deployment": "apps/shop/web.yaml:2",
        "ConfigMap": "apps/shop/settings.yaml:1",
        "Service": "apps/base/service.yaml:1",
    }
    assert {folder for _, folder in rendered.folders} == {"apps/base", "apps/shop", "components/open"}


async def test_a_missing_component_is_named_or_left_out(render, kustomize):
    spec = {"components": ["../../components/open", "../../components/later/nowhere"]}
    with pytest.raises(RenderError) as refused:
        await render("apps/shop", spec)
    assert "'../../components/later/nowhere' does not exist in the repository" in str(refused.value)
    assert "spec.kustomize.components" in str(refused.value)
    rendered = await render("apps/shop", spec | {"ignoreMissingComponents": True})
    assert bodies(rendered) == sorted(kustomize(FILES, "apps/shop", by_hand(SPECS["components"])), key=str)
    assert ("", "components") in rendered.folders, "what appears there later is noticed"


async def test_only_missing_components_leave_an_empty_list(render):
    spec = {"components": ["../components/later"], "ignoreMissingComponents": True}
    assert len((await render("plain", spec)).manifests) == 3


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ("../../../outside", "leaves the repository"),
        ("https://example.org/components", "remote base .* does not say which repository"),
        ("github.com/example/components?ref=main", "is not allowed .*spec.remoteBases"),
    ],
)
async def test_components_stay_inside(render, component, words):
    with pytest.raises(RenderError, match=words):
        await render("apps/shop", {"components": [component]})


async def test_a_plain_folders_problems_are_told_with_their_lines(render):
    files = FILES | {"plain/bad.yaml": "a: [\n", "plain/twice.yaml": DEPLOYMENT}
    with pytest.raises(RenderError) as refused:
        await render("plain", SPECS["prefix"], files)
    texts = [str(problem) for problem in refused.value.problems]
    assert any(text.startswith("plain/bad.yaml:") for text in texts)
    assert any("declared twice, first at plain/twice.yaml:1" in text for text in texts)
    with pytest.raises(RenderError, match="no manifests"):
        await render("nothing", SPECS["prefix"], {"nothing/empty.yaml": "# nothing\n"})


async def test_a_patch_that_fits_nothing_is_told(render):
    with pytest.raises(RenderError, match="kustomize: "):
        await render("apps/shop", {"patches": [{"patch": "kind: Nothing\nmetadata: {name: x}\napiVersion: v1\n"}]})


@pytest.mark.parametrize("path", ["apps/shop", "plain"])
async def test_common_metadata_are_an_objects_own(render, path):
    common = {"labels": {"team": "blue"}, "annotations": {"note": "all"}}
    rendered = await render(path, {"commonMetadata": common})
    for manifest in rendered.manifests:
        assert manifest.body["metadata"]["labels"]["team"] == "blue"
        assert manifest.body["metadata"]["annotations"] == {"note": "all"}
    deployment = next(each.body for each in rendered.manifests if each.ref.kind == "Deployment")
    assert deployment["spec"]["template"]["metadata"] == {"labels": {"app": "web"}}
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "web"}}
