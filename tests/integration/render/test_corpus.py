"""Repositories of other projects: as many objects as they have, and the same as kustomize alone builds."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.render.conftest import job

from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.render.documents import read_file
from trimtab.render.qualify import qualify

pytestmark = pytest.mark.corpus

BUILDS = {
    "podinfo": 3,
    "microservices-demo/kustomize": 35,
    "kube-prometheus": 131,
    "metrics-server/overlays/release": 9,
    "flux2-kustomize-helm-example/apps/staging": 3,
    "flux2-kustomize-helm-example/infrastructure/controllers": 6,
}


@pytest.fixture
def render(corpus_git, programs):
    renderer = KustomizeRenderer(kustomize=programs["kustomize"])

    async def start(path):
        return await renderer.render(job(corpus_git, path))

    return start


def built(program, folder):
    return subprocess.run([program, "build", str(folder)], capture_output=True, check=True).stdout


@pytest.mark.parametrize(("path", "count"), BUILDS.items())
async def test_a_build_is_what_kustomize_builds(render, corpus, programs, path, count):
    rendered = await render(path)
    output = built(programs["kustomize"], corpus / path)
    expected = {}
    for document in read_file(output, "x").documents:
        metadata = document.value["metadata"]
        expected[document.value["kind"], metadata.get("namespace"), metadata["name"]] = document.value
    found = {(m.ref.kind, m.ref.namespace or None, m.ref.name): m.body for m in rendered.manifests}
    assert found == expected
    assert len(found) == count
    assert all(manifest.origin.line for manifest in rendered.manifests)


KUSTOMIZE: dict[str, Any] = {
    "namePrefix": "mine-",
    "nameSuffix": "-x",
    "images": [{"name": "ghcr.io/stefanprodan/podinfo", "newTag": "0"}, {"name": "busybox", "newName": "toybox"}],
    "patches": [
        {
            "target": {"kind": "Deployment|Service"},
            "patch": "- op: add\n  path: /spec/patched\n  value: true\n",
        }
    ],
}


@pytest.mark.parametrize("path", [*BUILDS, "gateway-api/standard", "kube-prometheus/manifests/setup"])
async def test_what_the_spec_adds_is_what_kustomize_builds_with_it(corpus_git, corpus, programs, tmp_path, path):
    rendered = await KustomizeRenderer(kustomize=programs["kustomize"]).render(
        job(corpus_git, path, kustomize=KUSTOMIZE)
    )
    project = path.partition("/")[0]
    shutil.copytree(corpus / project, tmp_path / project, symlinks=True, copy_function=shutil.copyfile)
    folder = tmp_path / path
    file = folder / "kustomization.yaml"
    if file.is_file():
        content = yaml.safe_load(file.read_text())
    else:
        content = {"resources": sorted({Path(each.origin.file).relative_to(path) for each in rendered.manifests})}
        content["resources"] = [str(each) for each in content["resources"]]
    for field, value in KUSTOMIZE.items():
        content[field] = [*content.get(field, []), *value] if isinstance(value, list) else value
    file.write_text(yaml.safe_dump(content))
    expected = [document.value for document in read_file(built(programs["kustomize"], folder), "x").documents]
    assert sorted((each.body for each in rendered.manifests), key=str) == sorted(expected, key=str)
    assert all(each.ref.name.startswith("mine-") for each in rendered.manifests if each.ref.kind == "Deployment")


@pytest.mark.parametrize(
    ("path", "count"), [("kube-prometheus/manifests", 131), ("gateway-api/standard", 12), ("gateway-api", 12)]
)
async def test_a_plain_folder_is_read_whole(render, path, count):
    assert len((await render(path)).manifests) == count


async def test_the_release_of_the_microservices_demo(render):
    rendered = await render("microservices-demo/release")
    file = "microservices-demo/release/kubernetes-manifests.yaml"
    assert sum(manifest.origin.file == file for manifest in rendered.manifests) == 35


@pytest.mark.parametrize("path", ["kube-prometheus", "microservices-demo/release"])
async def test_lines_point_at_the_object(render, corpus, path):
    for manifest in (await render(path)).manifests:
        lines = (corpus / manifest.origin.file).read_text().splitlines()
        assert "".join(lines[manifest.origin.line - 1 : manifest.origin.line]).strip()
        below = "\n".join(lines[manifest.origin.line - 1 :])
        assert manifest.ref.name in below


async def test_a_target_namespace_moves_everything_namespaced(render):
    rendered = await render("microservices-demo/release")
    found = qualify(rendered.manifests, target_namespace="shop", default_namespace="x", namespaced=lambda *_: True)
    assert {manifest.ref.namespace for manifest in found.manifests} == {"shop"}


async def test_values_that_yaml_1_1_disputes_come_through(render):
    rendered = await render("kube-prometheus/manifests")
    text = yaml.safe_dump(
        [manifest.body for manifest in rendered.manifests if manifest.ref.kind.endswith("Definition")]
    )
    assert "- '='" in text or '- "="' in text or "- '='" in text.replace('"', "'")
