"""Who last changed what fails: asked once, in the background, and told with the error."""

import asyncio
from dataclasses import replace

import pytest
from tests.fakes.clock import HandClock
from tests.fakes.controller import Rig, config_map
from tests.fakes.downloads import FakeTree
from tests.fakes.git import FakeGit, FakeHistory
from tests.fakes.office import APP, REPO

from trimtab.core.authorship import LastChange
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.reconcile.culprits import MAX_PLACES, Culprits
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.grafted_tree import Graft, GraftedTree
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.queue import Key
from trimtab.source.addresses import AddressPolicy
from trimtab.source.selection import Selection

KEY = Key("Application", "shop", "web")
URL = "https://git.example/fleet"
BEN = LastChange("b" * 40, "Ben <ben@example.org>")


def tree(url: str = URL, *, folder: str = "") -> GitTree:
    return GitTree(FakeGit(HandClock()), url, None, "a" * 40, Selection(folder=folder))


def problem(file: str, line: int = 1) -> Problem:
    return Problem("broken", origin=Origin(file, line) if file else None)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_not_known_yet_is_asked_for_once_and_then_told() -> None:
    history = FakeHistory({(URL, "a.yaml"): BEN})
    woken: list[Key] = []
    culprits = Culprits(history, woken.append)
    problems = (problem("a.yaml"), problem("b.yaml"), problem(""))
    assert culprits.name(KEY, {"": tree()}, problems) == problems
    await settled()
    assert woken == [KEY]
    named = culprits.name(KEY, {"": tree()}, problems)
    assert [each.last_change for each in named] == [BEN, None, None]
    assert str(named[0]) == f"a.yaml:1: broken [last changed by Ben <ben@example.org> in {'b' * 12}]"
    await settled()
    assert len(history.asked) == 1
    assert culprits.name(KEY, {"": tree()}, ()) == ()


async def test_the_server_is_asked_within_the_bounds_of_whoever_declared_the_repository() -> None:
    history = FakeHistory()
    bounds = AddressPolicy(("10.0.0.0/8",))
    Culprits(history, lambda key: None).name(KEY, {"": replace(tree(), addresses=bounds)}, (problem("a.yaml"),))
    await settled()
    assert history.asked_within == [bounds]


async def test_a_history_that_is_not_to_be_had_changes_nothing() -> None:
    history = FakeHistory()
    history.trouble = SourceError(Problem("gone", retry=True))
    woken: list[Key] = []
    culprits = Culprits(history, woken.append)
    for _ in range(2):
        assert culprits.name(KEY, {"": tree()}, (problem("a.yaml"),))[0].last_change is None
        await settled()
    assert (len(history.asked), woken) == (1, [])


async def test_a_place_in_an_included_folder_is_looked_up_where_it_comes_from() -> None:
    other = "https://git.example/other"
    history = FakeHistory({(other, "base/x.yaml"): BEN})
    culprits = Culprits(history, lambda key: None)
    whole = GraftedTree(tree(), (Graft("in", tree(other, folder="base")),))
    places = (problem("in/x.yaml"), problem("own.yaml"))
    culprits.name(KEY, {"": whole}, places)
    await settled()
    assert sorted(history.asked) == [
        (URL, (Origin("own.yaml", 1),)),
        (other, (Origin("base/x.yaml", 1),)),
    ]
    assert culprits.name(KEY, {"": whole}, places)[0].last_change == BEN
    assert culprits.name(KEY, {"": GraftedTree(None, ())}, places) == places


async def test_many_failing_files_make_one_bounded_question() -> None:
    history = FakeHistory()
    culprits = Culprits(history, lambda key: None)
    culprits.name(KEY, {"": tree()}, [problem(f"{number}.yaml") for number in range(MAX_PLACES * 2)])
    await settled()
    assert [len(places) for _, places in history.asked] == [MAX_PLACES]
    for number in range(300):
        culprits.name(KEY, {"": tree(f"https://git.example/{number}")}, (problem("a.yaml"),))
    await culprits.close()
    assert len(culprits._found) == 200


@pytest.mark.looptime
async def test_the_status_names_commit_and_author(rig: Rig) -> None:
    await rig.sail(config_map("a"))
    rig.history.changes[URL, "shop/a.yaml"] = BEN
    rig.git.commit({"shop": Problem("no YAML")})
    rig.office.poke(REPO, "now")
    await rig.settle(120)
    error = rig.office.status(APP)["errors"][0]
    assert (error["commit"], error["author"]) == (BEN.commit, BEN.author)
    assert "last changed by Ben" in rig.message()
    assert len(rig.history.asked) == 1
    rig.push(config_map("a"))
    await rig.settle()
    assert rig.said() == ("True", "Applied")
    assert len(rig.history.asked) == 1, "only failing files are asked about"


async def test_files_are_looked_up_in_what_they_came_from() -> None:
    values, base = "https://git.example/values", "https://other.example/base"
    history = FakeHistory({(values, "envs/prod.yaml"): BEN, (base, "deploy/a.yaml"): BEN})
    culprits = Culprits(history, lambda key: None)
    artifact = FakeTree("oci://registry.example/app", "sha256:abc", {})
    start = f"{base}@v1@sha1:{'c' * 40}//"
    trees: dict[str, SourceTree] = {"": artifact, "$values/": tree(values), "$va/": tree(), start: tree(base)}
    places = (problem("$values/envs/prod.yaml"), problem(f"{start}deploy/a.yaml"), problem("own.yaml"), problem(""))
    culprits.name(KEY, trees, places)
    await settled()
    named = culprits.name(KEY, trees, places)
    assert [each.last_change for each in named] == [BEN, BEN, None, None]
    assert [each.artifact for each in named] == ["", "", "sha256:abc", ""]
    assert str(named[2]) == "own.yaml:1: broken [of sha256:abc]"
    assert culprits.name(KEY, {}, places) == places
