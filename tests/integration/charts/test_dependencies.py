"""Charts that depend on charts of repositories: fetched by the lock, told where they cannot be had."""

import base64
from contextlib import nullcontext

import pytest
import yaml
from tests.fakes.cluster import Cluster, FakeObjects
from tests.fakes.controller import namespace
from tests.fixtures.oci_registry import PASSWORD, USERNAME, digest_of, tgz
from tests.fixtures.web_server import Page, WebServer
from tests.integration.render.conftest import FolderTree, job

from trimtab.adapters.charts.dependencies import ChartStore
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.oci_repository import OciRepository
from trimtab.core.errors import RenderError
from trimtab.localcluster.assets import Finder
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.chart_desk import ChartDesk
from trimtab.reconcile.chart_sources import ChartSources
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.render.limits import Limits
from trimtab.source.oci_manifest import CHART_LAYER

CONFIG_MAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-%s}\ndata: {from: {{ .Values.from }}}\n"
)


NAMESPACE = "default"


def library(version: str) -> bytes:
    """The chart `lib`, packed."""
    chart = yaml.safe_dump({"apiVersion": "v2", "name": "lib", "version": version})
    template = CONFIG_MAP % "lib"
    return tgz({"lib/Chart.yaml": chart, "lib/values.yaml": "from: lib", "lib/templates/a.yaml": template})


def offer(web: WebServer, version: str) -> None:
    """A repository with the chart `lib` in one version."""
    packed = library(version)
    entry = {"version": version, "urls": [f"lib-{version}.tgz"], "digest": digest_of(packed).removeprefix("sha256:")}
    index = {"apiVersion": "v1", "entries": {"lib": [entry]}}
    web.routes["/charts/index.yaml"] = Page(yaml.safe_dump(index).encode())
    web.routes[f"/charts/lib-{version}.tgz"] = Page(packed)


@pytest.fixture
def cluster():
    """Where the Secrets are."""
    found = Cluster()
    found.other_applies(namespace(NAMESPACE))
    return found


@pytest.fixture
def declared():
    """The repositories that are declared beside the Application."""
    return []


@pytest.fixture
def renderer(tmp_path, charts, sources, cluster, declared):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    programs = Finder.from_environment().find(["kustomize", "helm"])
    accesses = Accesses(ReferredSecrets(FakeObjects(cluster)))
    store = ChartStore(charts, sources)
    desk = ChartDesk(ChartSources(lambda _: declared, accesses), store, store)
    return KustomizeRenderer(kustomize=programs["kustomize"], helm=programs["helm"], scratch=scratch, charts=desk)


@pytest.fixture
def source(tmp_path, web):
    """A chart whose dependency is in a repository; `lock` is the version of its lock, empty for none."""

    def write(*, lock: str, repository: str = "") -> FolderTree:
        root = tmp_path / "source" / "app"
        (root / "templates").mkdir(parents=True, exist_ok=True)
        repository = repository or f"{web.url}/charts"
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
    with pytest.raises(RenderError, match=r"^app/Chart\.lock: the dependency lib 1\.4\.2 of http://127.*1\.4\.2"):
        await renderer.render(wanted(source(lock="1.4.2")))


async def test_a_repository_that_is_away_is_tried_again(renderer, source, web):
    web.stop()
    with pytest.raises(RenderError) as caught:
        await renderer.render(wanted(source(lock="1.4.2")))
    assert caught.value.retry


def put_secret(cluster, name, **texts):
    data = {key.replace("_", "."): base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    metadata = {"name": name, "namespace": NAMESPACE}
    cluster.other_applies({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def declare(declared, model, name, **spec):
    body = {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
    declared[:] = [each for each in declared if each.metadata.name != name] + [model.parse(body)]


def close(web, *, password="word-canary"):
    """From now on the server asks for a login."""
    proof = "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()
    for path, page in list(web.routes.items()):
        web.routes[path] = lambda asked, page=page: page if asked.authorization == proof else Page(status=401)


async def test_a_repository_declared_for_the_url_gives_its_credentials(renderer, source, web, cluster, declared):
    offer(web, "1.4.2")
    close(web)
    tree = source(lock="1.4.2")
    with pytest.raises(RenderError, match=r"^app/Chart\.lock: the dependency lib 1\.4\.2 .*declare a HelmRepository"):
        await renderer.render(wanted(tree))
    declare(declared, HelmRepository, "far", url=web.url.replace("127.0.0.1", "127.0.0.2"), secretRef={"name": "far"})
    declare(declared, HelmRepository, "charts", url=f"{web.url}/charts/", secretRef={"name": "login"})
    put_secret(cluster, "login", username="ann", password="wrong-canary")
    with pytest.raises(RenderError, match=r"refused access.*Secret login of HelmRepository charts") as refused:
        await renderer.render(wanted(tree))
    assert refused.value.reason == "AuthenticationFailed"
    assert refused.value.retry
    assert "canary" not in str(refused.value)
    put_secret(cluster, "login", username="ann", password="word-canary")
    rendered = await renderer.render(wanted(tree))
    assert {each.ref.name for each in rendered.manifests} == {"rel-app", "rel-lib"}


@pytest.mark.parametrize("form", ["@charts", "alias:charts"])
async def test_a_repository_named_by_its_name_is_the_declared_one(renderer, source, web, cluster, declared, form):
    offer(web, "1.4.2")
    close(web)
    tree = source(lock="1.4.2", repository=form)
    with pytest.raises(RenderError, match="there is no HelmRepository charts in namespace default") as refused:
        await renderer.render(wanted(tree))
    assert refused.value.retry
    declare(declared, HelmRepository, "charts", url=f"{web.url}/charts", secretRef={"name": "login"})
    put_secret(cluster, "login", username="ann", password="word-canary")
    assert len((await renderer.render(wanted(tree))).manifests) == 2


async def test_credentials_go_nowhere_else(renderer, source, web, start_web, cluster, declared):
    other = start_web()
    offer(other, "1.4.2")
    put_secret(cluster, "login", username="ann", password="word-canary")
    declare(declared, HelmRepository, "charts", url=f"{web.url}/charts", secretRef={"name": "login"})
    for repository in (
        f"{other.url}/charts",
        f"{web.url}/charts/../charts",
        f"{web.url}/charts%2f",
        f"{web.url}/chart",
    ):
        with pytest.raises(RenderError) if other.url not in repository else nullcontext():
            await renderer.render(wanted(source(lock="1.4.2", repository=repository)))
    assert other.asked
    assert web.asked
    assert not any(each.authorization for each in (*web.asked, *other.asked))


async def test_a_registry_with_passwords_gives_charts_by_the_credentials_of_an_oci_repository(
    renderer, source, start_registry, cluster, declared
):
    registry = start_registry(passwords=True)
    registry.push("charts/lib", "1.4.2", (CHART_LAYER, library("1.4.2"), {}))
    tree = source(lock="1.4.2", repository=f"oci://{registry.host}/charts")
    url = f"oci://{registry.host}/charts/lib"
    declare(declared, OciRepository, "lib", url=url, insecure=True, secretRef={"name": "login"})
    put_secret(cluster, "login", username=USERNAME, password="wrong-canary")
    with pytest.raises(RenderError, match=r"Chart\.lock: the dependency lib .*Secret login of OCIRepository lib"):
        await renderer.render(wanted(tree))
    put_secret(cluster, "login", username=USERNAME, password=PASSWORD)
    assert len((await renderer.render(wanted(tree))).manifests) == 2


async def test_what_a_declared_repository_verifies_holds_for_dependencies(
    renderer, source, web, keyring, cluster, declared
):
    ada = keyring.make("Ada <ada@example.org>")
    offer(web, "1.4.2")
    put_secret(cluster, "keys", ada_asc=keyring.export(ada).decode())
    declare(declared, HelmRepository, "charts", url=f"{web.url}/charts", verify={"secretRef": {"name": "keys"}})
    tree = source(lock="1.4.2")
    with pytest.raises(RenderError, match=r"Chart\.lock: .*chart lib 1\.4\.2 has no provenance") as refused:
        await renderer.render(wanted(tree))
    assert refused.value.reason == "VerificationFailed"
    sums = yaml.safe_dump({"files": {"lib-1.4.2.tgz": digest_of(library("1.4.2"))}})
    prov = keyring.clear_sign(f"name: lib\nversion: 1.4.2\n\n...\n{sums}".encode(), ada)
    web.routes["/charts/lib-1.4.2.tgz.prov"] = Page(prov)
    assert len((await renderer.render(wanted(tree))).manifests) == 2


async def test_all_charts_of_a_rendering_spend_from_one_budget(tmp_path, charts, sources, cluster, source, web):
    offer(web, "1.4.2")
    accesses = Accesses(ReferredSecrets(FakeObjects(cluster)))
    store = ChartStore(charts, sources)
    desk = ChartDesk(ChartSources(lambda _: [], accesses), store, store)
    programs = Finder.from_environment().find(["kustomize", "helm"])
    tree = source(lock="1.4.2")
    # The chart that is fetched has three files, each of which counts in whole blocks.
    small = KustomizeRenderer(
        kustomize=programs["kustomize"], helm=programs["helm"], charts=desk, limits=Limits(tree_bytes=2 * 4096)
    )
    with pytest.raises(RenderError, match=r"dependency lib 1\.4\.2") as caught:
        await small.render(wanted(tree))
    assert caught.value.reason == "TooManyBytes"
