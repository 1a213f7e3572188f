"""Digests of many folders come by one look at each repository, and are asked for once."""

import pytest
from tests.fakes.clock import HandClock
from tests.fakes.controller import config_map
from tests.fakes.git import FakeGit

from trimtab.core.errors import SourceError
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.grafted_tree import Graft, GraftedTree

FOLDERS = {name: [config_map(name.replace("/", "-"))] for name in ("a", "b", "deploy", "deploy/sub")}
URL = "https://git.example/fleet"


async def tree() -> tuple[FakeGit, GitTree]:
    git = FakeGit(HandClock())
    sha = git.commit(FOLDERS)
    await git.fetch(URL, {"branch": "main"}, None, timeout_seconds=1)
    return git, GitTree(git, URL, None, sha)


async def test_what_was_looked_up_is_not_asked_for_again() -> None:
    git, source = await tree()
    await source.look_up(["b", "a", "a"])
    assert git.looks == [("a", "b")]
    first = await source.digest("a")
    await source.look_up(["a", "deploy"])
    assert await source.digest("a") == first != await source.digest("deploy")
    await source.look_up(["a", "b", "deploy"])
    assert git.looks == [("a", "b"), ("deploy",)]


async def test_a_folder_that_is_not_there_is_asked_for_by_whoever_wants_it() -> None:
    _, source = await tree()
    await source.look_up(["a", "nowhere"])
    with pytest.raises(SourceError) as caught:
        await source.digest("nowhere")
    assert caught.value.reason == "PathNotFound"


async def test_another_commit_is_looked_at_anew() -> None:
    git, source = await tree()
    await source.look_up(["a"])
    sha = git.commit({**FOLDERS, "a": [config_map("other")]})
    await git.fetch(URL, {"branch": "main"}, None, timeout_seconds=1)
    later = await source.at(sha)
    assert await later.digest("a") != await source.digest("a")


async def test_parts_of_several_repositories_take_a_look_at_each() -> None:
    git, base = await tree()
    library, graft = await tree()
    whole = GraftedTree(base, (Graft("vendor/lib", graft),))
    asked = ["a", "", "vendor", "vendor/lib/deploy", "vendor/lib/b"]
    # The base has no folder `vendor` of its own.
    await whole.look_up(asked)
    assert git.looks == [("", "a", "vendor")]
    assert library.looks == [("", "b", "deploy")]
    digests = [await whole.digest(path) for path in asked]
    assert len(set(digests)) == len(asked)
    assert library.looks == [("", "b", "deploy")]
    assert git.looks[1:] == [("vendor",)], "only to be told that it is not there"
    assert digests[3] == await base.digest("deploy")
