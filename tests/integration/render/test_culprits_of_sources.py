"""Whom an error names, wherever the failing file came from: real repositories, a real server, the real renderer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.git_server import GitRepo, RunningServer, with_module
from tests.integration.render.conftest import job

from trimtab.adapters.artifacts.tree import ArtifactTree
from trimtab.adapters.clock.system import SystemClock
from trimtab.adapters.git.histories import GitHistories
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.api.git_repository import GitRepositorySpec
from trimtab.core.authorship import LastChange
from trimtab.core.errors import Problem, RenderError
from trimtab.reconcile.culprits import Culprits
from trimtab.reconcile.desired import named_trees
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.queue import Key
from trimtab.reconcile.remote_bases import BaseRules, RemoteBases
from trimtab.reconcile.source_trees import SourceTrees, Tree

BEN = "Ben Example <ben@example.org>"
CHART = {
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "web/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
}
BROKEN = "kind: ConfigMap\nmetadata: {name: a\n"
KEY = Key("Application", "shop", "web")


@pytest.fixture
async def mirrors(tmp_path: Path) -> AsyncIterator[GitMirrors]:
    made = GitMirrors(tmp_path / "mirrors")
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def renderer(programs) -> KustomizeRenderer:
    return KustomizeRenderer(kustomize=Path(programs["kustomize"]), helm=Path(programs["helm"]))


def breaks(repository: GitRepo, files: Mapping[str, str]) -> LastChange:
    """Ben's commit, and one of Ada's after it that has nothing to do with it."""
    sha = replace(repository, author=BEN).commit(files, "Break it")
    repository.commit({"later.txt": "later"})
    return LastChange(sha, BEN)


async def made(mirrors: GitMirrors, repository: GitRepo, *included: Tree, **fields: Any) -> Tree:
    spec = GitRepositorySpec.model_validate({"url": repository.url, **fields})
    fetched = await mirrors.fetch(repository.url, {}, None, timeout_seconds=60)
    return await SourceTrees(git=mirrors).make(spec, fetched.revision.sha, None, included)


async def blamed(
    mirrors: GitMirrors,
    renderer: KustomizeRenderer,
    tree: SourceTree,
    path: str,
    *,
    others: Mapping[str, SourceTree] | None = None,
    rules: BaseRules | None = None,
    **spec: Any,
) -> tuple[Problem, ...]:
    """The problems of a rendering as the status tells them once all is known."""
    bases = RemoteBases(mirrors, SystemClock()).of(KEY, rules or BaseRules())
    work = replace(job(tree, path, **spec), others=others or {}, bases=bases)
    with pytest.raises(RenderError) as caught:
        await renderer.render(work)
    trees = named_trees(work, bases)
    woken = asyncio.Event()
    culprits = Culprits(GitHistories(mirrors), lambda _: woken.set())
    try:
        first = culprits.name(KEY, trees, caught.value.problems)
        if not any(each.artifact for each in first):
            await asyncio.wait_for(woken.wait(), 90)
        return culprits.name(KEY, trees, caught.value.problems)
    finally:
        await culprits.close()


def of_file(change: LastChange, problem: Problem) -> bool:
    """Whether a problem names a commit and its author, for the line or for the file."""
    found = problem.last_change
    return found is not None and (found.commit, found.author) == (change.commit, change.author)


async def test_a_values_file_of_a_further_source(mirrors, renderer, git_server: RunningServer):
    charts, values = git_server.repository("charts"), git_server.repository("values")
    charts.commit(CHART)
    change = breaks(values, {"envs/prod.yaml": "a: [\n"})
    (problem,) = await blamed(
        mirrors,
        renderer,
        await made(mirrors, charts),
        "web",
        others={"values": await made(mirrors, values)},
        helm={"valueFiles": ["$values/envs/prod.yaml"]},
    )
    assert problem.origin is not None
    assert problem.origin.file == "$values/envs/prod.yaml"
    assert of_file(change, problem)


async def test_a_values_file_of_a_sparse_further_source(mirrors, renderer, git_server: RunningServer):
    charts, values = git_server.repository("charts"), git_server.repository("values")
    charts.commit(CHART)
    change = breaks(values, {"envs/prod.yaml": "a: [\n", "other/x.yaml": "x"})
    (problem,) = await blamed(
        mirrors,
        renderer,
        await made(mirrors, charts),
        "web",
        others={"values": await made(mirrors, values, sparseCheckout=["envs"])},
        helm={"valueFiles": ["$values/envs/prod.yaml"]},
    )
    assert of_file(change, problem)


async def test_a_template_of_a_chart_in_git(mirrors, renderer, git_server: RunningServer):
    charts = git_server.repository("charts")
    charts.commit(CHART)
    change = breaks(charts, {"web/templates/a.yaml": "{{ .Values.none.such }}\n"})
    (problem,) = await blamed(mirrors, renderer, await made(mirrors, charts), "web")
    assert of_file(change, problem)


async def test_an_included_file(mirrors, renderer, git_server: RunningServer):
    own, other = git_server.repository("own"), git_server.repository("other")
    own.commit({"deploy/a.yaml": "kind: Nothing of Ben's\n"})
    change = breaks(other, {"base/b.yaml": BROKEN})
    include = [{"repository": {"name": "other"}, "fromPath": "base", "toPath": "vendor/base"}]
    tree = await made(mirrors, own, await made(mirrors, other), include=include)
    (problem,) = await blamed(mirrors, renderer, tree, "vendor")
    assert problem.origin is not None
    assert problem.origin.file == "vendor/base/b.yaml"
    assert of_file(change, problem)


async def test_a_file_of_a_submodule(mirrors, renderer, git_server: RunningServer):
    own, module = git_server.repository("own"), git_server.repository("module")
    change = breaks(module, {"b.yaml": BROKEN})
    own.commit({"README.md": "own"})
    with_module(own, "vendor/module", module.url, module.sha())
    tree = await made(mirrors, own, recurseSubmodules=True)
    (problem,) = await blamed(mirrors, renderer, tree, "vendor")
    assert of_file(change, problem)


async def test_a_file_of_a_sparse_checkout(mirrors, renderer, git_server: RunningServer):
    own = git_server.repository("own")
    change = breaks(own, {"deploy/b.yaml": BROKEN, "other/x.yaml": "x"})
    (problem,) = await blamed(mirrors, renderer, await made(mirrors, own, sparseCheckout=["deploy"]), "deploy")
    assert of_file(change, problem)


async def test_a_file_of_a_remote_base(mirrors, renderer, git_server: RunningServer):
    own, base = git_server.repository("own"), git_server.repository("base")
    change = breaks(base, {"deploy/kustomization.yaml": "resources: [b.yaml]\n", "deploy/b.yaml": BROKEN})
    own.commit({"prod/kustomization.yaml": f"resources: ['{base.url}//deploy']\n"})
    rules = BaseRules(prefixes=(git_server.url,))
    (problem,) = await blamed(mirrors, renderer, await made(mirrors, own), "prod", rules=rules)
    assert problem.origin is not None
    assert problem.origin.file == f"{base.url}@main@sha1:{base.sha()}//deploy/b.yaml"
    assert of_file(change, problem)


async def test_a_file_of_an_artifact_is_told_with_the_artifacts_revision(mirrors, renderer, git_server, tmp_path):
    own = git_server.repository("own")
    own.commit(CHART)
    unpacked = tmp_path / "artifact"
    for name, text in {"deploy/b.yaml": BROKEN, "envs/prod.yaml": "a: [\n"}.items():
        (unpacked / name).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / name).write_text(text)
    digest = f"sha256:{'5' * 64}"
    artifact = ArtifactTree(
        "oci://registry.example/app", digest, unpacked, {"deploy/b.yaml": "1", "envs/prod.yaml": "2"}
    )
    (problem,) = await blamed(mirrors, renderer, artifact, "deploy")
    assert (problem.last_change, problem.artifact) == (None, digest)
    assert str(problem).endswith(f"[of {digest}]")
    (problem,) = await blamed(
        mirrors,
        renderer,
        await made(mirrors, own),
        "web",
        others={"values": artifact},
        helm={"valueFiles": ["$values/envs/prod.yaml"]},
    )
    assert (problem.last_change, problem.artifact) == (None, digest)
