"""The newest artifact of each repository."""

from dataclasses import replace

from tests.fakes.clock import HandClock
from tests.fakes.git import FakeGit

from trimtab.core.revision import Revision
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.queue import Key

FLEET = Key("GitRepository", "trimtab-system", "fleet")
HERE = GitTree(FakeGit(HandClock()), "https://git.example/fleet", None, "a" * 40)
ONE = Artifact(HERE, Revision("main", "a" * 40), None, 1.0)


def test_only_another_revision_or_address_is_news() -> None:
    artifacts = Artifacts()
    assert artifacts.get(FLEET) is None
    assert artifacts.is_news(FLEET, ONE)
    assert artifacts.put(FLEET, ONE)
    assert not artifacts.is_news(FLEET, replace(ONE, seen_at=2.0))
    assert not artifacts.put(FLEET, replace(ONE, seen_at=2.0))
    assert artifacts.put(FLEET, replace(ONE, tree=replace(HERE, url="https://git.example/moved")))
    assert artifacts.put(FLEET, replace(ONE, revision=Revision("main", "b" * 40)))
    newest = artifacts.get(FLEET)
    assert newest is not None
    assert newest.revision.sha == "b" * 40


def test_the_first_try_is_told_once() -> None:
    artifacts = Artifacts()
    assert not artifacts.tried(FLEET)
    assert artifacts.mark_tried(FLEET)
    assert not artifacts.mark_tried(FLEET)
    assert artifacts.tried(FLEET)


def test_what_is_gone_is_forgotten() -> None:
    artifacts = Artifacts()
    artifacts.put(FLEET, ONE)
    artifacts.mark_tried(FLEET)
    artifacts.forget(FLEET)
    assert artifacts.get(FLEET) is None
    assert not artifacts.tried(FLEET)
