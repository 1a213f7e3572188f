"""Charts that depend on charts of repositories: fetched by the lock, told where they cannot be had."""

import pytest
import yaml
from tests.fixtures.oci_registry import digest_of, tgz
from tests.fixtures.web_server import Page, WebServer
from tests.integration.render.conftest import FolderTree, job

from trimtab.adapters.charts.dependencies import ChartStore
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.core.errors import RenderError
from trimtab.localcluster.assets import Finder

CONFIG_MAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-%s}\ndata: {from: {{ .Values.from }}}\n"
)


def offer(web: WebServer, version: str) -> None:
    """A repository with the chart `lib` in one version."""
    chart = yaml.safe_dump({"apiVersion": "v2", "name": "lib", "version": version})
    template = CONFIG_MAP % "lib"
    packed = tgz({"lib/Chart.yaml": chart, "lib/values.yaml": "from: lib", "lib/templates/a.yaml": template})
    entry = {"version": version, "urls": [f"lib-{version}.tgz"], "digest": digest_of(packed).removeprefix("sha256:")}
    index = {"apiVersion": "v1", "entries": {"lib": [entry]}}
    web.routes["/charts/index.yaml"] = Page(yaml.safe_dump(index).encode())
    web.routes[f"/charts/lib-{version}.tgz"] = Page(packed)


@pytest.fixture
def renderer(tmp_path, charts, sources):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    programs = Finder.from_environment().find(["kustomize", "helm"])
    store = ChartStore(charts, sources)
    return KustomizeRenderer(kustomize=programs["kustomize"], helm=programs["helm"], scratch=scratch, charts=store)


@pytest.fixture
def source(tmp_path, web):
    """A chart whose dependency is in a repository; `lock` is the version of its lock, empty for none."""

    def write(*, lock: str) -> FolderTree:
        root = tmp_path / "source" / "app"
        (root / "templates").mkdir(parents=True)
        repository = f"{web.url}/charts"
        asked = [{"name": "lib", "version": "^1.0", "repository": repository}]
        chart = {"apiVersion": "v2", "name": "app", "version": "1.0.0", "dependencies": asked}
        (root / "Chart.yaml").write_text(yaml.safe_dump(chart))
        (root / "values.yaml").write_text("from: app\nlib: {from: app's word}")
        (root / "templates/a.yaml").write_text(CONFIG_MAP % "app")
        if lock:
            locked = [{"name": "lib", "version": lock, "repository": repository}]
            (root / "Chart.lock").write_text(yaml.safe_dump({"dependencies": locked, "digest": "sha256:0"}))
        return FolderTree(tmp_path / "source")

    return write


def wanted(tree: FolderTree):
    return job(tree, "app", helm={"releaseName": "rel"})


async def test_what_a_lock_names_is_fetched_and_rendered(renderer, source, web):
    offer(web, "1.4.2")
    tree = source(lock="1.4.2")
    rendered = await renderer.render(wanted(tree))
    assert {each.ref.name: each.body["data"]["from"] for each in rendered.manifests} == {
        "rel-app": "app",
        "rel-lib": "app's word",
    }
    assert not (tree.root / "app/charts").exists(), "the source itself is left alone"
    asked = len(web.asked)
    await renderer.render(wanted(tree))
    assert len(web.asked) == asked, "what was fetched is at hand"


async def test_without_a_lock_nothing_is_fetched(renderer, source, web):
    offer(web, "1.4.2")
    with pytest.raises(RenderError, match=r"the dependency lib \^1\.0 .* is not in charts/ .*Chart\.lock"):
        await renderer.render(wanted(source(lock="")))
    assert web.asked == []


async def test_a_version_that_is_gone_is_told_with_its_chart(renderer, source, web):
    offer(web, "1.5.0")
    with pytest.raises(RenderError, match=r"^app/Chart\.yaml: the dependency lib 1\.4\.2 of http://127.*1\.4\.2"):
        await renderer.render(wanted(source(lock="1.4.2")))


async def test_a_repository_that_is_away_is_tried_again(renderer, source, web):
    web.stop()
    with pytest.raises(RenderError) as caught:
        await renderer.render(wanted(source(lock="1.4.2")))
    assert caught.value.retry
