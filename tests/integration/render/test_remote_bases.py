"""Remote bases from a real Git server, built by the real kustomize: as it builds them itself, and as if vendored."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fixtures.git_server import Fault, GitRepo, RunningServer
from tests.integration.render.conftest import FolderTree, job

from trimtab.adapters.clock.system import SystemClock
from trimtab.adapters.git.bare_repository import Link
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.core.errors import RenderError, SourceError, TrimtabError
from trimtab.reconcile.ports import GitCredentials, Rendered
from trimtab.reconcile.queue import Key
from trimtab.reconcile.remote_bases import BaseRules, BasesOfJob, RemoteBases
from trimtab.source.addresses import AddressPolicy

ASKER = Key("Application", "shop", "web")
DEPLOYMENT = """# the web server
apiVersion: apps/v1
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
"""
BASE = {
    "deploy/base/kustomization.yaml": "resources: [web.yaml, ../shared]\n"
    "configMapGenerator: [{name: settings, files: [settings.txt]}]\n",
    "deploy/base/web.yaml": DEPLOYMENT,
    "deploy/base/settings.txt": "mode=fast\n",
    "deploy/shared/kustomization.yaml": "resources: [service.yaml]\n",
    "deploy/shared/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
    "components/labels/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
    "labels: [{pairs: {team: blue}}]\n",
    "unrelated/big.txt": "nobody reads this\n",
}
OVERLAY = """# the overlay
namePrefix: prod-
resources:
  - own.yaml
  - {base}
components:
- {component}
patches: [{{target: {{kind: Deployment}}, patch: '[{{"op": "add", "path": "/spec/replicas", "value": 3}}]'}}]
"""
OWN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n"


@pytest.fixture
async def bases(tmp_path: Path) -> AsyncIterator[RemoteBases]:
    mirrors = GitMirrors(tmp_path / "mirrors")
    await mirrors.start()
    yield RemoteBases(mirrors, SystemClock())
    await mirrors.close()


@pytest.fixture
def renderer(programs) -> KustomizeRenderer:
    return KustomizeRenderer(kustomize=Path(programs["kustomize"]))


@pytest.fixture
def base(git_server: RunningServer) -> GitRepo:
    repository = git_server.repository("base")
    repository.commit(BASE, "Begin")
    repository.git("tag", "v1")
    return repository


async def rendered(
    renderer: KustomizeRenderer, tree: FolderTree, of: BasesOfJob, path: str = "prod", **spec: Any
) -> Rendered:
    return await renderer.render(replace(job(tree, path, **spec), bases=of))


def allowing(bases: RemoteBases, *prefixes: str, **rules: Any) -> BasesOfJob:
    return bases.of(ASKER, BaseRules(prefixes=prefixes, field="spec.remoteBases of GitRepository fleet", **rules))


def built(programs: dict[str, Path], folder: Path) -> list[object]:
    """What kustomize itself makes of a folder, with network and git."""
    command = [str(programs["kustomize"]), "build", str(folder), "--load-restrictor", "LoadRestrictionsNone"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ordered(yaml.safe_load_all(done.stdout))


def ordered(bodies) -> list[object]:
    return sorted(bodies, key=lambda body: (body["kind"], body["metadata"]["name"]))


def overlay(base: GitRepo, ref: str = "v1") -> dict[str, str]:
    names = {"base": f"{base.url}//deploy/base?ref={ref}", "component": f"{base.url}//components/labels?ref={ref}"}
    return {"prod/kustomization.yaml": OVERLAY.format(**names), "prod/own.yaml": OWN}


async def refused(renderer, tree, of, path="prod") -> TrimtabError:
    with pytest.raises((RenderError, SourceError)) as caught:
        await rendered(renderer, tree, of, path)
    assert ".bases-" not in str(caught.value), "places in the tree are nobody's business"
    return caught.value


async def test_it_is_what_kustomize_builds_itself_and_with_the_base_vendored(
    renderer, bases, base, repository, programs, tmp_path, git_server
):
    tree = repository(overlay(base))
    of = allowing(bases, git_server.url)
    found = await rendered(renderer, tree, of)
    bodies = ordered(each.body for each in found.manifests)
    assert len(bodies) == 4
    assert bodies == built(programs, tree.root / "prod")
    vendored = tmp_path / "vendored"
    shutil.copytree(tree.root, vendored)
    for name, text in BASE.items():
        place = vendored / "vendor" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    local = {"base": "../vendor/deploy/base", "component": "../vendor/components/labels"}
    (vendored / "prod/kustomization.yaml").write_text(OVERLAY.format(**local))
    assert bodies == built(programs, vendored / "prod")


async def test_places_name_the_repository_its_revision_the_file_and_the_line(
    renderer, bases, base, repository, git_server
):
    found = await rendered(renderer, repository(overlay(base)), allowing(bases, git_server.url))
    start = f"{base.url}@v1@sha1:{base.sha()}//"
    assert {each.ref.kind + "/" + each.ref.name: str(each.origin) for each in found.manifests} == {
        "ConfigMap/prod-own": "prod/own.yaml:1",
        "Deployment/prod-web": f"{start}deploy/base/web.yaml:2",
        "Service/prod-web": f"{start}deploy/shared/service.yaml:1",
        next(f"ConfigMap/{each.ref.name}" for each in found.manifests if "settings" in each.ref.name): (
            f"{start}deploy/base/kustomization.yaml"
        ),
    }
    name = f"{base.url}?ref=v1"
    assert set(found.folders) == {
        ("", "prod"),
        (name, "deploy/base"),
        (name, "deploy/shared"),
        (name, "components/labels"),
    }
    assert [each.name for each in found.bases] == [name]


async def test_the_users_origin_annotations_are_kustomizes_own(renderer, bases, base, repository, programs, git_server):
    files = overlay(base)
    files["prod/kustomization.yaml"] += "buildMetadata: [originAnnotations]\n"
    tree = repository(files)
    found = await rendered(renderer, tree, allowing(bases, git_server.url))
    assert ordered(each.body for each in found.manifests) == built(programs, tree.root / "prod")


@pytest.mark.parametrize("text", ["{url}//deploy/base", "{url}//deploy/base?ref=main", "{url}/deploy/base?ref={sha}"])
async def test_branches_commits_and_the_default_branch(renderer, bases, base, repository, programs, git_server, text):
    base.commit({"deploy/base/web.yaml": DEPLOYMENT.replace("nginx", "caddy")})
    text = text.format(url=base.url, sha=base.sha())
    tree = repository({"prod/kustomization.yaml": f"resources: ['{text}']\n"})
    found = await rendered(renderer, tree, allowing(bases, git_server.url))
    assert "caddy" in str([each.body for each in found.manifests])
    assert ordered(each.body for each in found.manifests) == built(programs, tree.root / "prod")


async def test_bases_of_bases_and_of_local_kustomizations(renderer, bases, base, repository, programs, git_server):
    middle = git_server.repository("middle")
    middle.commit({"top/kustomization.yaml": f"nameSuffix: -mid\nresources: ['{base.url}//deploy/base?ref=v1']\n"})
    tree = repository(
        {
            "prod/kustomization.yaml": "namePrefix: a-\nresources: [../common]\n",
            "common/kustomization.yaml": f"resources:\n- {middle.url}//top\n",
        }
    )
    of = allowing(bases, git_server.url)
    found = await rendered(renderer, tree, of)
    assert ordered(each.body for each in found.manifests) == built(programs, tree.root / "prod")
    assert {each.split("?")[0] for each in of.given} == {middle.url, base.url}
    only = await refused(renderer, tree, allowing(bases, middle.url))
    start = f"{middle.url}@main@sha1:{middle.sha()}//"
    assert str(only).startswith(f"{start}top/kustomization.yaml:2: remote base {base.url}//deploy/base?ref=v1 is not")


async def test_components_of_the_spec_may_be_remote(renderer, bases, base, repository, git_server):
    tree = repository({"prod/own.yaml": OWN})
    spec: dict[str, Any] = {"kustomize": {"components": [f"{base.url}//components/labels?ref=v1"]}}
    found = await rendered(renderer, tree, allowing(bases, git_server.url), **spec)
    assert [each.body["metadata"]["labels"] for each in found.manifests] == [{"team": "blue"}]


async def test_the_root_of_a_source_and_of_a_base(renderer, bases, git_server, repository, programs):
    whole = git_server.repository("whole")
    whole.commit({"kustomization.yaml": "resources: [own.yaml]\n", "own.yaml": OWN})
    tree = repository({"kustomization.yaml": f"namePrefix: a-\nresources: ['{whole.url}']\n"})
    found = await rendered(renderer, tree, allowing(bases, git_server.url), path="")
    assert [each.ref.name for each in found.manifests] == ["a-own"]
    assert set(found.folders) == {("", ""), (whole.url, "")}


async def test_only_what_is_needed_of_a_base_is_written(renderer, bases, base, repository, git_server, monkeypatch):
    written: list[str] = []
    fetch = BasesOfJob.fetch

    async def watched(self, wanted):
        written.append(str(wanted))
        return await fetch(self, wanted)

    monkeypatch.setattr(BasesOfJob, "fetch", watched)
    asked = len(git_server.faults.requests)
    await rendered(renderer, repository(overlay(base)), allowing(bases, git_server.url))
    first = len(git_server.faults.requests)
    assert first > asked
    await rendered(renderer, repository(overlay(base)), allowing(bases, git_server.url))
    assert len(git_server.faults.requests) == first, "a tag that is here is not fetched again"


# --- what goes wrong


async def test_what_is_wrong_in_a_base_is_told_there(renderer, bases, base, repository, git_server):
    base.commit({"deploy/base/web.yaml": "kind: Deployment\nmetadata: {name: web\n"})
    tree = repository(overlay(base, "main"))
    error = await refused(renderer, tree, allowing(bases, git_server.url, interval_seconds=0.0))
    start = f"{base.url}@main@sha1:{base.sha()}//"
    assert str(error).startswith(f"{start}deploy/base/web.yaml:")
    base.commit({"deploy/base/web.yaml": DEPLOYMENT, "deploy/base/kustomization.yaml": "resources: [gone.yaml]\n"})
    error = await refused(renderer, tree, allowing(bases, git_server.url, interval_seconds=0.0))
    start = f"{base.url}@main@sha1:{base.sha()}//"
    assert f"{start}deploy/base/kustomization.yaml:1: 'gone.yaml' does not exist" in str(error)
    base.commit({"deploy/base/kustomization.yaml": "resources: [web.yaml]\npatches: [{patch: 'hunter2: ['}]\n"})
    error = await refused(renderer, tree, allowing(bases, git_server.url, interval_seconds=0.0))
    assert f"{base.url}@main@sha1:{base.sha()}//" in str(error)
    assert "hunter2" not in str(error)


async def test_a_folder_a_ref_or_a_repository_that_is_not_there(renderer, bases, base, repository, git_server):
    of = allowing(bases, git_server.url)
    for text, message in (
        (f"{base.url}//nowhere?ref=v1", "nowhere?ref=v1' does not exist"),
        (f"{base.url}//deploy/base?ref=v9", "v9"),
        (f"{git_server.url}/none.git//deploy/base", "none.git"),
    ):
        tree = repository({"prod/kustomization.yaml": f"\nresources: ['{text}']\n"})
        error = await refused(renderer, tree, of)
        assert str(error).startswith("prod/kustomization.yaml:2: ")
        assert message in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{url}//deploy/base?ref=--upload-pack=touch%20/tmp/x", "begins with a dash"),
        ("{url}//deploy/../../base", "holds . or .."),
        ("{url}/%2e%2e/base.git//deploy", "holds . or .."),
        ("http://ada:hunter2@127.0.0.1/a/b//x", "credentials inside the URL"),
        ("{url}.evil//deploy/base", "is not allowed"),
        ("http://127.0.0.1.evil:1/a/base.git//deploy", "is not allowed"),
        ("file:///etc//x", "only https, http and ssh"),
        ("ext::sh -c id", "only https, http and ssh"),
        ("{url}/deploy/base/web.yaml", "a single file"),
    ],
)
async def test_hostile_addresses_reach_nothing(renderer, bases, base, repository, git_server, text, message):
    asked = len(git_server.faults.requests)
    tree = repository({"prod/kustomization.yaml": f"resources: ['{text.format(url=base.url)}']\n"})
    error = await refused(renderer, tree, allowing(bases, base.url))
    assert message in str(error)
    assert "hunter2" not in str(error)
    assert str(error).startswith("prod/kustomization.yaml:1: ")
    assert len(git_server.faults.requests) == asked


async def test_the_rules_of_addresses_hold(renderer, bases, base, repository, git_server):
    of = allowing(bases, git_server.url, addresses=AddressPolicy())
    asked = len(git_server.faults.requests)
    error = await refused(renderer, repository(overlay(base)), of)
    assert error.reason == "AddressRefused"
    assert len(git_server.faults.requests) == asked


async def test_credentials_stay_at_the_sources_own_host(renderer, bases, base, repository, git_server):
    given = GitCredentials(username="ada", password="hunter2")
    git_server.faults.next_fault = lambda path: None
    elsewhere = allowing(bases, git_server.url, url="http://localhost:1/fleet.git", credentials=given)
    await rendered(renderer, repository(overlay(base)), elsewhere)
    assert not any("authorization" in {name.lower() for name in each} for each in git_server.faults.headers)


async def test_a_redirect_is_not_followed(renderer, bases, base, repository, git_server):
    git_server.faults.always(Fault.REDIRECT)
    error = await refused(renderer, repository(overlay(base)), allowing(bases, git_server.url))
    assert error.reason == "Redirected"


async def test_links_and_paths_out_of_a_base_are_refused(renderer, bases, git_server, repository):
    for files, message in (
        ({"x/kustomization.yaml": "resources: [../../../../prod/own.yaml]\n"}, "leaves the repository"),
        ({"x/kustomization.yaml": "resources: [link.yaml]\n", "x/link.yaml": Link("../../../prod/own.yaml")}, "link"),
    ):
        hostile = git_server.repository(f"hostile-{len(message)}")
        hostile.commit(files)
        tree = repository({"prod/kustomization.yaml": f"resources: ['{hostile.url}//x']\n", "prod/own.yaml": OWN})
        error = await refused(renderer, tree, allowing(bases, git_server.url))
        assert message in str(error)


async def test_circles_through_servers_end(renderer, bases, git_server, repository):
    one, other = git_server.repository("one"), git_server.repository("other")
    one.commit({"kustomization.yaml": f"resources: ['{other.url}']\n"})
    other.commit({"kustomization.yaml": f"resources: ['{one.url}']\n"})
    tree = repository({"prod/kustomization.yaml": f"resources: ['{one.url}']\n"})
    assert "go in circles" in str(await refused(renderer, tree, allowing(bases, git_server.url)))


async def test_without_an_allowance_nothing_is_fetched(renderer, base, repository, git_server):
    asked = len(git_server.faults.requests)
    with pytest.raises(RenderError) as caught:
        await renderer.render(job(repository(overlay(base)), "prod"))
    assert all("is not allowed" in str(each) and "spec.remoteBases" in str(each) for each in caught.value.problems)
    assert [each.origin.line for each in caught.value.problems if each.origin] == [5, 7]
    assert len(git_server.faults.requests) == asked
