"""What becomes of an artifact when its repository goes through bad times: the last good one stays, the condition says
why, and Applications keep what they have. The reconciler, real mirrors, a real server, and the status as written.
"""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.clock import LoopClock
from tests.fakes.cluster import Cluster, FakeObjects
from tests.fakes.office import REPO, Office
from tests.fakes.verifier import FakeVerifier
from tests.fixtures.git_server import Fault, GitRepo, RunningServer

from trimtab.adapters.git.bare_repository import BareRepository
from trimtab.adapters.git.mirrors import GitMirrors
from trimtab.core.outcome import Outcome, Result
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.credentials import CredentialCache
from trimtab.reconcile.dependents import Dependents
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.fetch_meter import FetchMeter
from trimtab.reconcile.includes import Includes
from trimtab.reconcile.journal import Journal
from trimtab.reconcile.origins.git import GitOrigin
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.queue import Key, WorkQueue
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.reconcile.source_reconciler import SourceReconciler
from trimtab.reconcile.verification import Verifications
from trimtab.source.addresses import NamespaceAddresses


class Nobody:
    """There are no Applications."""

    async def unconcerned(self, tree: SourceTree, readers: Mapping[str, Collection[str]]) -> frozenset[str]:
        """None."""
        return frozenset()


class Life:
    """GitRepositories under one reconciler. Without Applications: `artifacts` is all that they would see."""

    def __init__(self, mirrors: GitMirrors) -> None:
        clock, secrets = LoopClock(), ReferredSecrets(FakeObjects(Cluster()))
        self.mirrors = mirrors
        self.office = Office()
        self.queue = WorkQueue(clock, seed=1)
        self.office.desk = Desk(self.queue)
        self.artifacts = Artifacts()
        origin = GitOrigin(
            git=mirrors,
            includes=Includes(self.office.desk, self.artifacts),
            credentials=CredentialCache(secrets),
            verifications=Verifications(git=mirrors, secrets=secrets, verifier=FakeVerifier(), clock=clock),
            meter=FetchMeter(clock),
            clock=clock,
            addresses=NamespaceAddresses(own=REPO.namespace),
        )
        self.reconciler = SourceReconciler(
            origin=origin,
            desk=self.office.desk,
            queue=self.queue,
            artifacts=self.artifacts,
            dependents=Dependents(desk=self.office.desk, queue=self.queue, artifacts=self.artifacts, readers=Nobody()),
            journal=Journal(self.office, clock, instance="trimtab-test"),
            clock=clock,
        )

    def declare(self, repository: GitRepo, key: Key = REPO, **spec: Any) -> None:
        self.office.create(key, **{"url": repository.url, "timeout": "20s", **spec})

    async def turn(self, key: Key = REPO) -> Outcome:
        return await self.reconciler.reconcile(key)

    def artifact(self, key: Key = REPO) -> Artifact:
        found = self.artifacts.get(key)
        assert found is not None
        return found

    async def content(self, key: Key = REPO) -> str:
        target = self.mirrors.folder("", None).parent.parent / f"out{len(self.office.status_writes)}"
        await self.artifact(key).tree.materialise([""], target)
        return (target / "deploy/app.yaml").read_text()


@pytest.fixture
async def life(mirrors: GitMirrors, git_repo: GitRepo) -> Life:
    life = Life(mirrors)
    life.declare(git_repo)
    await life.turn()
    return life


async def kept_while(life: Life, before: Artifact, reason: str) -> None:
    """A turn fails for a reason, and nothing else changes."""
    shown = life.office.status(REPO)["artifact"]
    outcome = await life.turn()
    assert outcome.result is Result.FAILURE
    assert life.office.said(REPO) == ("False", reason)
    assert life.office.status(REPO)["artifact"] == shown
    assert life.artifact() == before
    assert await life.content() == "kind: ConfigMap\n"


async def test_a_branch_that_goes_and_returns(life, git_repo):
    before, sha = life.artifact(), git_repo.sha()
    git_repo.force("keep", sha)
    git_repo.delete_branch("main")
    await kept_while(life, before, "RefNotFound")
    git_repo.force("main", git_repo.commit({"deploy/app.yaml": "new"}, branch="keep"))
    await life.turn()
    assert life.office.said(REPO) == ("True", "Fetched")
    assert await life.content() == "new"


async def test_a_repository_that_is_emptied_removed_or_replaced(life, git_repo):
    before = life.artifact()
    shutil.rmtree(git_repo.path)
    await kept_while(life, before, "RepositoryNotFound")
    BareRepository.create(git_repo.path)
    await kept_while(life, before, "EmptyRepository")
    BareRepository(git_repo.path).commit({"deploy/app.yaml": "another"}, branch="trunk")
    await kept_while(life, before, "RefNotFound")
    sha = BareRepository(git_repo.path).commit({"deploy/app.yaml": "another"})
    await life.turn()
    assert life.artifact().revision.sha == sha
    assert await life.content() == "another"


async def test_a_forced_push_is_followed_and_so_is_the_way_back(life, git_repo):
    first = life.artifact()
    git_repo.commit({"deploy/app.yaml": "one"})
    await life.turn()
    rewritten = git_repo.commit({"deploy/app.yaml": "two"}, parent=first.revision.sha)
    await life.turn()
    assert (life.artifact().revision.sha, await life.content()) == (rewritten, "two")
    git_repo.force("main", first.revision.sha)
    await life.turn()
    assert life.artifact().revision == first.revision
    assert await life.content() == "kind: ConfigMap\n"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.STATUS_401, "AuthenticationFailed"),
        (Fault.STATUS_404, "RepositoryNotFound"),
        (Fault.STATUS_500, "ServerError"),
        (Fault.REDIRECT, "Redirected"),
        (Fault.NOT_GIT, "NotARepository"),
    ],
)
async def test_a_server_that_fails_or_refuses(life, git_server, git_repo, fault, reason):
    before = life.artifact()
    git_repo.commit({"deploy/app.yaml": "new"})
    git_server.faults.always(fault)
    await kept_while(life, before, reason)
    git_server.faults.never()
    await life.turn()
    assert await life.content() == "new"


async def test_rules_that_cannot_be_obeyed_leave_the_artifact(life, git_repo):
    before = life.artifact()
    for spec, reason in (
        ({"ignore": "!"}, "InvalidIgnore"),
        ({"ignore": "", "sparseCheckout": ["gone"]}, "PathNotFound"),
        ({"sparseCheckout": [], "include": [{"repository": {"name": "fleet"}}]}, "IncludeCycle"),
        ({"include": [{"repository": {"name": "nobody"}}]}, "IncludeNotReady"),
    ):
        life.office.change(REPO, **spec)
        await kept_while(life, before, reason)
    life.office.change(REPO, include=[], ignore="*.md\n")
    await life.turn()
    assert life.artifact() != before
    status = life.office.status(REPO)
    assert status["observedIgnore"] == "*.md\n"
    assert "observedInclude" not in status
    assert status["artifact"]["digest"] == "sha1:" + await life.artifact().tree.digest("")


async def test_an_include_is_followed_and_told(life, git_server: RunningServer, git_repo):
    other = replace(REPO, name="shared")
    shared = git_server.repository("shared")
    first = shared.commit({"base/s.yaml": "s"})
    life.declare(shared, other)
    include = {"repository": {"name": "shared"}, "fromPath": "base", "toPath": "deploy/base"}
    life.office.change(REPO, include=[include])
    await life.turn()
    assert life.office.said(REPO) == ("False", "IncludeNotReady")
    await life.turn(other)
    await life.turn()
    status = life.office.status(REPO)
    assert status["observedInclude"] == [include]
    assert [each["revision"] for each in status["includedArtifacts"]] == [f"main@sha1:{first}"]
    digest = status["artifact"]["digest"]
    while life.queue.depth:
        key, _ = await life.queue.take()
        life.queue.finished(key, Outcome.done(), limit_seconds=60)
    shared.commit({"base/s.yaml": "changed"})
    await life.turn(other)
    assert life.queue.depth == 1, "whoever includes it is queued"
    await life.turn()
    status = life.office.status(REPO)
    assert status["artifact"]["digest"] != digest
    assert status["artifact"]["digest"].startswith("sha256:")
    assert status["artifact"]["revision"] == f"main@sha1:{git_repo.sha()}"
    life.office.change(other, include=[{"repository": {"name": "fleet"}}])
    await life.turn(other)
    assert life.office.said(other) == ("False", "IncludeCycle")
    assert "fleet → shared" in life.office.condition(other, "Ready")["message"]


async def test_after_a_restart_without_a_server_the_same_tree_is_there(life, git_server, mirrors, git_repo):
    life.office.change(REPO, ignore="README.md\n")
    await life.turn()
    before = life.artifact()
    git_server.stop()
    again = Life(mirrors)
    again.office = life.office
    again.office.desk = again.reconciler.desk
    again.reconciler.journal = Journal(again.office, LoopClock(), instance="trimtab-test")
    again.office.show_all()
    await again.turn()
    assert again.artifact().tree == before.tree
    assert await again.artifact().tree.digest("deploy") == await before.tree.digest("deploy")
