"""Whom a new revision concerns: found by one look at the source, woken before all others."""

import asyncio
from collections.abc import Collection, Mapping

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.office import REPO, key_of

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.queue import Key

pytestmark = pytest.mark.looptime

FOLDERS = {f"app{number}": [config_map(f"m{number}")] for number in range(6)}
APPS = {name: key_of("Application", name) for name in FOLDERS}


async def sail(rig: Rig, **spec: object) -> None:
    """Six Applications on one repository, at rest."""
    rig.git.commit(FOLDERS)
    rig.source(**spec)
    for name, key in APPS.items():
        rig.office.create(key, sourceRef={"name": "fleet"}, path=name, prune=True)
    rig.start()
    await rig.settle()
    assert rig.renderer.rendered == len(APPS)
    rig.git.looks.clear()
    rig.office.status_writes.clear()


async def push(rig: Rig, **folders: object) -> str:
    sha = rig.git.commit({**FOLDERS, **folders})  # type: ignore[dict-item]
    rig.office.poke(REPO, sha)
    await rig.settle()
    assert {rig.office.status(key)["lastAppliedRevision"] for key in APPS.values()} == {f"main@sha1:{sha}"}
    return sha


async def test_one_look_finds_the_one_that_is_concerned_and_it_goes_first(rig: Rig) -> None:
    await sail(rig)
    await push(rig, app4=[config_map("m4", mode="slow")])
    assert rig.renderer.rendered == len(APPS) + 1
    # The root, for the artifact's digest; all folders at once.
    assert rig.git.looks == [("",), tuple(sorted(FOLDERS))]
    of_applications = [key for key in rig.office.status_writes if key != REPO]
    assert of_applications[0] == APPS["app4"]
    assert sorted(of_applications) == sorted([*APPS.values(), APPS["app4"]]), "it is announced, too"


async def test_a_commit_that_nobody_reads_costs_one_status_each_and_no_other_write(rig: Rig) -> None:
    await sail(rig)
    rig.objects.take_requests()
    await push(rig, docs=[config_map("docs")])
    assert rig.renderer.rendered == len(APPS)
    assert rig.objects.take_requests() == []
    assert sorted(rig.office.status_writes) == sorted([*APPS.values(), REPO])
    assert rig.git.looks == [("",), tuple(sorted(FOLDERS))]


async def test_other_rules_of_the_source_concern_all(rig: Rig) -> None:
    await sail(rig)
    rig.office.change(REPO, ignore="docs")
    await rig.settle()
    assert rig.renderer.rendered == 2 * len(APPS)


async def test_one_that_failed_is_tried_at_once_though_its_folder_is_as_it_was(rig: Rig) -> None:
    await sail(rig)
    broken = rig.git.commit({**FOLDERS, "app5": Problem("no mapping", reason="InvalidYaml")})
    rig.office.poke(REPO, broken)
    await rig.settle()
    assert rig.office.said(APPS["app5"]) == ("False", "InvalidYaml")
    rig.office.status_writes.clear()
    await push(rig)
    assert next(key for key in rig.office.status_writes if key != REPO) == APPS["app5"]
    assert rig.office.said(APPS["app5"]) == ("True", "Applied")


async def test_a_source_that_cannot_be_looked_at_concerns_all(rig: Rig) -> None:
    class Blind:
        async def unconcerned(self, tree: SourceTree, readers: Mapping[str, Collection[str]]) -> frozenset[str]:
            raise SourceError(Problem("the worker ended"))

    await sail(rig)
    rig.dependents.readers = Blind()
    added = []
    add = rig.queue.add

    def noting(key: Key, *, behind: bool = False) -> None:
        added.append((key, behind))
        add(key, behind=behind)

    rig.queue.add = noting  # type: ignore[method-assign]
    await push(rig, docs=[])
    assert {(key, False) for key in APPS.values()} <= set(added)
    assert not any(behind for _, behind in added)


async def test_a_commit_elsewhere_does_not_cut_short_what_is_being_applied(rig: Rig) -> None:
    await sail(rig)
    rig.objects.delay_seconds = 20
    many = [config_map(f"n{number}") for number in range(20)]
    old = rig.git.commit({**FOLDERS, "app4": many})
    rig.office.poke(REPO, old)
    await rig.settle(50)
    assert rig.office.said(APPS["app4"])[1] == "Applying"
    new = ""
    for number in range(3):
        new = rig.git.commit({**FOLDERS, "app4": many, "docs": [config_map(f"d{number}")]})
        rig.office.poke(REPO, new)
        await rig.settle(5)
    assert rig.office.said(APPS["app4"])[1] == "Applying"
    await rig.settle(400)
    assert rig.renderer.rendered == len(APPS) + 1
    assert all(rig.is_there(body) for body in many)
    history = [(item["revision"], item["result"]) for item in rig.office.status(APPS["app4"])["history"]]
    assert history[:2] == [(f"main@sha1:{new}", "Applied"), (f"main@sha1:{old}", "Applied")]
    assert not any(result == "superseded" for _, result, _ in rig.metrics.all("reconciled"))


async def test_a_commit_of_its_own_after_others_elsewhere_does(rig: Rig) -> None:
    await sail(rig)
    rig.objects.delay_seconds = 20
    many = [config_map(f"n{number}") for number in range(20)]
    rig.office.poke(REPO, rig.git.commit({**FOLDERS, "app4": many}))
    await rig.settle(50)
    rig.office.poke(REPO, rig.git.commit({**FOLDERS, "app4": many, "docs": []}))
    await rig.settle(5)
    rig.office.poke(REPO, rig.git.commit({**FOLDERS, "app4": many[:3]}))
    await rig.settle(400)
    assert not any(rig.is_there(body) for body in many[3:])
    assert [result for _, result, _ in rig.metrics.all("reconciled")].count("superseded") == 1


async def test_an_application_made_while_the_source_is_looked_at_follows_it_too(rig: Rig) -> None:
    await sail(rig)
    new = key_of("Application", "new")
    readers = rig.dependents.readers

    class Slow:
        async def unconcerned(self, tree: SourceTree, known: Mapping[str, Collection[str]]) -> frozenset[str]:
            rig.office.create(new, sourceRef={"name": "fleet"}, path="app0", prune=True, targetNamespace="shop")
            await asyncio.sleep(3)
            return await readers.unconcerned(tree, known)

    rig.dependents.readers = Slow()
    sha = await push(rig, docs=[])
    assert rig.office.status(new)["lastAttemptedRevision"] == f"main@sha1:{sha}"
