"""Whom a new revision concerns: found by one look at the source, woken before all others."""

from collections.abc import Collection, Mapping

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.office import APP, REPO, key_of

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
        async def concerned(self, tree: SourceTree, readers: Mapping[str, Collection[str]]) -> frozenset[str]:
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


async def test_a_chart_of_an_index_is_not_looked_for_in_it(rig: Rig) -> None:
    await rig.sail(config_map("a"))
    assert rig.office.said(APP) == ("True", "Applied")
    found = await rig.applications.desired.concerned(
        rig.artifacts.get(REPO).tree,  # type: ignore[union-attr]
        {rig.office.bodies[APP]["metadata"]["uid"]: ("chart",), "unknown": ("",)},
    )
    assert found == {"unknown"}, "it calls the source by no such name"
