"""Remote bases: whose credentials go where, when a ref is asked for again, and what a restart finds."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.clock import HandClock
from tests.fakes.controller import Rig, config_map
from tests.fakes.git import FakeGit
from tests.fakes.office import APP, REPO

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.fetches import Fetches, StillFetching
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.lanes import Lanes
from trimtab.reconcile.ports import Fetched, GitCredentials
from trimtab.reconcile.queue import Key
from trimtab.reconcile.remote_bases import BaseRules, RemoteBases, base_rules
from trimtab.source.addresses import AddressPolicy
from trimtab.source.remote_base import RemoteBase

OWN, OTHER = "https://git.example/team", "https://other.example/team"
A, B, C, D = (config_map(name) for name in "abcd")
GONE = SourceError(Problem("gone", reason="ConnectionFailed", retry=True))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def git(clock: HandClock) -> FakeGit:
    return FakeGit(clock)


@pytest.fixture
def bases(git: FakeGit, clock: HandClock) -> RemoteBases:
    return RemoteBases(git, clock)


RULES = BaseRules(prefixes=(OWN, OTHER), interval_seconds=60.0)


async def test_credentials_go_to_the_sources_own_host_only(git: FakeGit, bases: RemoteBases) -> None:
    git.commit({"": [A]}, branch="v1")
    given = GitCredentials(username="ada", password="hunter2")
    rules = replace(RULES, url="https://git.example/fleet", credentials=given, addresses=AddressPolicy(("10.0.0.0/8",)))
    for url in (OWN, OTHER):
        await bases.of(APP, rules).fetch(RemoteBase(f"{url}/app", "v1"))
    assert git.fetches == [given, None]
    assert git.policies == [AddressPolicy(("10.0.0.0/8",))] * 2
    await bases.of(APP, RULES).fetch(RemoteBase(f"{OWN}/app", "v1"))
    assert git.fetches[2:] == [None], "and not to others by memory"


async def test_what_is_not_allowed_is_not_fetched(git: FakeGit, bases: RemoteBases) -> None:
    with pytest.raises(SourceError, match="not allowed"):
        await bases.of(APP, RULES).fetch(RemoteBase("https://git.example.evil/team/app", "v1"))
    assert git.fetches == []


async def test_a_tag_and_a_commit_are_not_asked_for_again_and_a_branch_is(
    git: FakeGit, bases: RemoteBases, clock: HandClock
) -> None:
    sha = git.commit({"": [A]}, branch="v1")
    git.commit({"": [B]}, branch="main")
    git.no_tags = {"main"}
    tag, commit, branch = (RemoteBase(f"{OWN}/app", ref) for ref in ("v1", sha, "main"))
    for base in (tag, commit, branch):
        assert not (await bases.of(APP, RULES).fetch(base)).revision.startswith("@")
    assert [ref for _, ref in git.asked] == [{"tag": "v1"}, {"tag": "main"}, {"branch": "main"}], "the commit is here"
    newest = git.commit({"": [C]}, branch="main")
    await clock.turn(59)
    job = bases.of(APP, RULES)
    assert (await job.fetch(branch)).revision != f"main@sha1:{newest}"
    assert job.moving
    await clock.turn(1)
    assert await bases.of(APP, RULES).stands_at(branch) == f"main@sha1:{newest}"
    asked = len(git.asked)
    assert await bases.of(APP, RULES.suspended()).stands_at(branch) == f"main@sha1:{newest}"
    await clock.turn(3600)
    await bases.of(APP, RULES.suspended()).fetch(branch)
    for base in (tag, commit):
        await bases.of(APP, RULES).fetch(base)
    assert len(git.asked) == asked
    await bases.of(APP, RULES, asked_at=clock.monotonic()).fetch(branch)
    assert len(git.asked) == asked + 2


async def test_within_one_rendering_a_base_is_of_one_revision(
    git: FakeGit, bases: RemoteBases, clock: HandClock
) -> None:
    first = git.commit({"": [A]}, branch="main")
    job = bases.of(APP, RULES)
    base = RemoteBase(f"{OWN}/app", "main", "x")
    await job.fetch(base)
    git.commit({"": [B]}, branch="main")
    await clock.turn(120)
    assert (await job.fetch(replace(base, path="y"))).revision == f"main@sha1:{first}"
    assert list(job.given) == [f"{OWN}/app?ref=main"]


async def test_a_mirror_that_was_lost_is_fetched_again(git: FakeGit, bases: RemoteBases) -> None:
    git.commit({"": [A]}, branch="v1")
    base = RemoteBase(f"{OWN}/app", "v1")
    await bases.of(APP, RULES).fetch(base)
    git.lose_mirrors()
    assert await bases.of(APP, RULES).stands_at(base)
    assert len(git.asked) == 1
    await bases.of(APP, RULES).fetch(base)
    assert len(git.asked) == 2


async def test_a_failure_names_the_base(git: FakeGit, bases: RemoteBases) -> None:
    git.trouble = GONE
    with pytest.raises(SourceError) as caught:
        await bases.of(APP, RULES).fetch(RemoteBase(f"{OWN}/app", "v1", "x"))
    assert (str(caught.value), caught.value.retry) == (f"remote base {OWN}/app//x?ref=v1: gone", True)
    git.trouble, git.no_tags = None, {"v1"}
    git.commit({}, branch="v1")
    await bases.of(APP, RULES).fetch(RemoteBase(f"{OWN}/app", "v1"))


async def test_what_is_remembered_is_bounded(git: FakeGit, bases: RemoteBases) -> None:
    git.commit({"": [A]}, branch="v1")
    for number in range(1010):
        await bases.of(APP, RULES).fetch(RemoteBase(f"{OWN}/app{number}", "v1"))
    assert len(bases._known) == 1000


async def test_revisions_that_are_given_count_without_asking(git: FakeGit, clock: HandClock) -> None:
    old = git.commit({"": [A]}, branch="main")
    git.commit({"": [B]}, branch="main")
    base = RemoteBase(f"{OWN}/app", "main")
    standing = RemoteBases(git, clock, standing={base.name: f"main@sha1:{old}"})
    at_hand = await standing.of(APP, RULES).fetch(base)
    assert at_hand.revision == f"main@sha1:{old}"
    assert git.asked == [(base.url, {"commit": old})]
    recalled = await RemoteBases(git, clock).of(APP, RULES, pinned={base.name: f"main@sha1:{old}"}).fetch(base)
    assert recalled.revision == f"main@sha1:{old}"
    for pinned in ({}, {base.name: "main@sha1:--upload-pack"}):
        with pytest.raises(SourceError, match="not known"):
            await RemoteBases(git, clock).of(APP, RULES, pinned=pinned).fetch(base)
    assert len(git.asked) == 1


def test_rules_of_a_source_say_where_they_stand() -> None:
    class Spec:
        remote_bases: tuple[str, ...] = (OWN,)
        timeout_seconds = 5.0
        interval_seconds = 7.0

    rules = base_rules("OCIRepository", "fleet", Spec(), AddressPolicy())
    assert (rules.prefixes, rules.timeout_seconds, rules.interval_seconds) == ((OWN,), 5.0, 7.0)
    assert rules.field == "spec.remoteBases of OCIRepository fleet"
    assert rules.reach(RemoteBase(f"{OWN}/app")) == (f"{OWN}/app", None)
    wrong = Spec()
    wrong.remote_bases = ("https://user:hunter2@h",)
    with pytest.raises(SourceError, match=r"^spec.remoteBases of OCIRepository fleet: ") as caught:
        base_rules("OCIRepository", "fleet", wrong, AddressPolicy())
    assert "hunter2" not in str(caught.value)


# --- the whole loop

BASE = RemoteBase(f"{OTHER}/app", "stable", "base")


async def sail(rig: Rig) -> Rig:
    """An Application whose folder names a remote base, on a branch of another repository."""
    rig.git.no_tags = {"stable"}
    rig.git.commit({"base": [B]}, branch="stable")
    rig.declare(A)
    rig.source(remoteBases=[OTHER])
    rig.application()
    rig.chart = {"bases": (BASE,)}
    rig.start()
    await rig.settle()
    return rig


def of_base(rig: Rig) -> list[dict[str, str]]:
    return [ref for url, ref in rig.git.asked if url == BASE.url]


@pytest.mark.looptime
async def test_a_base_is_applied_and_its_revision_told(rig: Rig) -> None:
    sailing = await sail(rig)
    sha = sailing.git._tips["stable"]
    assert sailing.is_there(B)
    assert sailing.office.status(APP)["remoteBases"] == [
        {"url": f"{OTHER}/app?ref=stable", "revision": f"stable@sha1:{sha}"}
    ]


@pytest.mark.looptime
async def test_a_branch_that_moves_is_followed_at_the_sources_interval(rig: Rig) -> None:
    sailing = await sail(rig)
    before = sailing.renderer.rendered
    await sailing.settle(70)
    assert sailing.renderer.rendered == before, "it was asked for, and nothing had changed"
    asked = len(of_base(sailing))
    assert asked >= 4
    sailing.git.commit({"base": [C]}, branch="stable")
    await sailing.settle(70)
    assert sailing.is_there(C)
    assert not sailing.is_there(B), "the base declares it no more"
    assert sailing.said() == ("True", "Applied")


@pytest.mark.looptime
async def test_a_commit_elsewhere_in_the_base_renders_nothing(rig: Rig) -> None:
    sailing = await sail(rig)
    before = sailing.renderer.rendered
    sha = sailing.git.commit({"base": [B], "blog": [C]}, branch="stable")
    await sailing.settle(70)
    assert sailing.renderer.rendered == before
    assert sailing.office.status(APP)["remoteBases"][0]["revision"] == f"stable@sha1:{sha}"


@pytest.mark.looptime
async def test_a_poke_asks_at_once(rig: Rig) -> None:
    sailing = await sail(rig)
    sailing.git.commit({"base": [C]}, branch="stable")
    sailing.office.poke(APP, "now")
    await sailing.settle(2)
    assert sailing.is_there(C)


@pytest.mark.looptime
async def test_a_suspended_source_asks_no_more(rig: Rig) -> None:
    sailing = await sail(rig)
    sailing.office.change(REPO, suspend=True)
    await sailing.settle()
    sailing.git.commit({"base": [C]}, branch="stable")
    asked = len(of_base(sailing))
    await sailing.settle(300)
    assert len(of_base(sailing)) == asked
    sailing.office.change(REPO, suspend=False)
    await sailing.settle(70)
    assert sailing.is_there(C)


@pytest.mark.looptime
async def test_a_base_that_is_not_allowed_any_more_is_used_no_more(rig: Rig) -> None:
    sailing = await sail(rig)
    sailing.office.change(REPO, remoteBases=[OWN])
    await sailing.settle()
    assert sailing.said()[0] == "False"
    assert "not allowed" in sailing.message()
    assert sailing.is_there(B), "nothing is deleted because something could not be read"
    sailing.office.change(REPO, remoteBases=[OWN, f"{OTHER}/app"])
    await sailing.settle()
    assert sailing.said() == ("True", "Applied")


@pytest.mark.looptime
async def test_a_prefix_that_is_none_is_told_at_the_source(rig: Rig) -> None:
    sailing = await sail(rig)
    sailing.office.change(REPO, remoteBases=["example.org/team"])
    await sailing.settle()
    assert "spec.remoteBases of GitRepository fleet" in sailing.office.condition(REPO, "Ready")["message"]
    assert sailing.is_there(B)


@pytest.mark.looptime
async def test_while_the_bases_server_is_gone_drift_is_healed_and_it_is_not_asked_at_every_event(rig: Rig) -> None:
    sailing = await sail(rig)
    fetch = sailing.git.fetch

    async def failing(url, *arguments, **options):
        if url == BASE.url:
            sailing.git.asked.append((url, {}))
            raise GONE
        return await fetch(url, *arguments, **options)

    sailing.git.fetch = failing  # type: ignore[method-assign]
    await sailing.settle(70)
    assert sailing.said()[0] == "False"
    assert str(BASE.url) in sailing.message()
    asked = len(of_base(sailing))
    for number in range(5):
        sailing.edit(B, "data.mode", f"slow {number}")
        await sailing.settle(0.2)
        assert sailing.live(B)["data"] == {"mode": "fast"}
    assert len(of_base(sailing)) <= asked + 1
    # A new process has only the status and the mirrors to go by.
    await sailing.restart()
    await sailing.settle()
    assert sailing.said()[0] == "False"
    sailing.edit(B, "data.mode", "slow")
    await sailing.settle()
    assert sailing.live(B)["data"] == {"mode": "fast"}
    sailing.git.fetch = fetch  # type: ignore[method-assign]
    sailing.git.commit({"base": [C]}, branch="stable")
    await sailing.settle(700)
    assert sailing.said() == ("True", "Applied")
    assert sailing.is_there(C)
    assert not sailing.is_there(B)


@pytest.mark.looptime
async def test_a_restart_knows_what_a_base_declared_before(rig: Rig) -> None:
    sailing = await sail(rig)
    with_two = config_map("b", one="1", two="2")
    sailing.git.commit({"base": [with_two]}, branch="stable")
    await sailing.settle(70)
    assert sailing.live(B)["data"] == {"one": "1", "two": "2"}
    await sailing.stop()
    sailing.git.commit({"base": [config_map("b", one="1")]}, branch="stable")
    sailing.start()
    await sailing.settle()
    assert sailing.live(B)["data"] == {"one": "1"}
    assert isinstance(sailing.renderer.jobs[0].tree, GitTree)


def stall(rig: Rig) -> asyncio.Event:
    """From now on the base's server answers no fetch until the event is set."""
    fetch, answering = rig.git.fetch, asyncio.Event()

    async def waiting(url: str, *arguments: Any, **options: Any) -> Fetched:
        if url == BASE.url:
            await answering.wait()
        return await fetch(url, *arguments, **options)

    rig.git.fetch = waiting  # type: ignore[method-assign]
    return answering


@pytest.mark.looptime
async def test_while_a_base_is_on_its_way_others_are_rendered_and_the_application_says_so(rig: Rig) -> None:
    answering = stall(rig)
    sailing = await sail(rig)
    assert sailing.said() == ("Unknown", "Waiting")
    assert f"fetching remote base {BASE.url}" in sailing.message()
    others = [Key(APP.kind, APP.namespace, f"other-{number}") for number in range(5)]
    sailing.push(A, blog=[D])
    for each in others:
        sailing.office.create(each, sourceRef={"name": "fleet"}, path="blog", prune=True)
    await sailing.settle(30)
    rendered = {job.name for job in sailing.renderer.jobs}
    assert {each.name for each in others} <= rendered
    answering.set()
    await sailing.settle()
    assert sailing.is_there(B)
    assert sailing.said()[0] == "True"


@pytest.mark.looptime
async def test_a_base_that_is_looked_at_again_changes_nothing_until_it_has_come(rig: Rig) -> None:
    sailing = await sail(rig)
    answering = stall(sailing)
    sailing.git.commit({"base": [C]}, branch="stable")
    await sailing.settle(200)
    assert sailing.said() == ("True", "Applied")
    sailing.edit(B, "data.mode", "slow")
    await sailing.settle(1)
    assert sailing.live(B)["data"] == {"mode": "fast"}
    # A commit of its own does not wait either: with the base as it stood.
    sailing.push(A, D)
    await sailing.settle(1)
    assert sailing.is_there(D)
    assert sailing.is_there(B)
    answering.set()
    await sailing.settle(1)
    assert sailing.is_there(C)
    assert not sailing.is_there(B)


@pytest.mark.looptime
async def test_a_poke_is_answered_when_the_base_has_come_and_ready_stays_meanwhile(rig: Rig) -> None:
    sailing = await sail(rig)
    answering = stall(sailing)
    sailing.git.commit({"base": [C]}, branch="stable")
    sailing.office.poke(APP, "now")
    await sailing.settle(10)
    assert sailing.said() == ("True", "Applied")
    assert sailing.office.status(APP).get("lastHandledReconcileAt") != "now"
    answering.set()
    await sailing.settle(1)
    assert sailing.is_there(C)
    assert sailing.office.status(APP)["lastHandledReconcileAt"] == "now"


@pytest.mark.looptime
async def test_a_base_that_takes_longer_than_the_interval_is_used_all_the_same(rig: Rig) -> None:
    fetch = rig.git.fetch

    async def slow(url: str, *arguments: Any, **options: Any) -> Fetched:
        if url == BASE.url:
            await asyncio.sleep(90)
        return await fetch(url, *arguments, **options)

    rig.git.fetch = slow  # type: ignore[method-assign]
    sailing = await sail(rig)
    await sailing.settle(300)
    assert sailing.is_there(B)
    assert sailing.said() == ("True", "Applied")


@pytest.mark.looptime
@pytest.mark.parametrize("seconds", [0.3, 30.0])
async def test_ready_does_not_flap_while_a_base_cannot_be_reached(rig: Rig, seconds: float) -> None:
    sailing = await sail(rig)
    fetch, gone = rig.git.fetch, True

    async def failing(url: str, *arguments: Any, **options: Any) -> Fetched:
        if gone and url == BASE.url:
            await asyncio.sleep(seconds)
            raise GONE
        return await fetch(url, *arguments, **options)

    rig.git.fetch = failing  # type: ignore[method-assign]
    told = [sailing.said()]
    for _ in range(600):
        await sailing.settle(2)
        if sailing.said() != told[-1]:
            told.append(sailing.said())
    assert [ready for ready, _ in told] == ["True", "False"]
    gone = False  # the back-off is bounded by the interval of ten minutes
    await sailing.settle(750)
    assert sailing.said() == ("True", "Applied")


@pytest.mark.looptime
async def test_a_commit_does_not_wait_for_a_base_that_a_poke_asks_for(rig: Rig) -> None:
    sailing = await sail(rig)
    answering = stall(sailing)
    sailing.office.poke(APP, "now")
    await sailing.settle(10)
    sha = sailing.push(A, D)
    await sailing.settle(1)
    assert sailing.is_there(D)
    assert sailing.office.status(APP)["lastAppliedRevision"].endswith(sha)
    sailing.git.commit({"base": [C]}, branch="stable")
    answering.set()
    await sailing.settle(1)
    assert sailing.is_there(C)


async def test_a_base_that_is_not_remembered_is_asked_for_anew(git: FakeGit, clock: HandClock) -> None:
    fetches = Fetches(lambda _: None, clock, Lanes())
    bases = RemoteBases(git, clock, fetches=fetches)
    base = RemoteBase(f"{OWN}/app", "main")
    git.no_tags = {"main"}
    git.commit({"": [A]}, branch="main")

    async def stands_at(asker: Key = APP) -> str:
        with pytest.raises(StillFetching):
            await bases.of(asker, RULES).stands_at(base)
        for _ in range(10):
            await asyncio.sleep(0)
        return await bases.of(asker, RULES).stands_at(base)

    await stands_at()
    newest = git.commit({"": [B]}, branch="main")
    bases._known.clear()
    assert await stands_at() == f"main@sha1:{newest}", "and not what was brought before"
    await fetches.close()


async def test_who_asks_first_holds_up_no_other_namespace(git: FakeGit, clock: HandClock) -> None:
    lanes = Lanes()
    woken: list[Key] = []
    fetches = Fetches(woken.append, clock, lanes)
    bases = RemoteBases(git, clock, fetches=fetches)
    base = RemoteBase(f"{OWN}/app", "v1")
    git.commit({"": [A]}, branch="v1")
    evil, victim = Key("Application", "evil", "a"), Key("Application", "victim", "b")
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(lanes.turn("evil", "slow.example"))
        for asker in (evil, victim):
            with pytest.raises(StillFetching):
                await bases.of(asker, RULES).fetch(base)
        for _ in range(10):
            await asyncio.sleep(0)
        assert woken == [victim]
        assert (await bases.of(victim, RULES).fetch(base)).revision
    await fetches.close()
