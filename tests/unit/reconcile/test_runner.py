"""Each command of an apply run and its one event; what a cancellation cuts short; what nobody may swallow."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from tests.fakes.clock import LoopClock
from tests.fakes.controller import config_map
from tests.fakes.sea import OWNER, Sea, marked
from tests.fakes.store import FakeStore

from trimtab.apply.commands import (
    Apply,
    AwaitEstablished,
    AwaitGone,
    Claim,
    Command,
    Get,
    Record,
    Remove,
    Retry,
    Unmark,
)
from trimtab.apply.engine import ApplyRun
from trimtab.apply.events import (
    Answered,
    Claimed,
    Established,
    Event,
    Gone,
    Got,
    Recorded,
    RecordFailed,
    Refused,
    Removed,
    Tick,
    TimedOut,
    Unmarked,
)
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Entry, Intended
from trimtab.core.names import BUCKET_LABEL
from trimtab.core.observed import Absent, Live
from trimtab.core.refs import ObjectRef
from trimtab.reconcile.runner import Runner

pytestmark = pytest.mark.looptime

A = ObjectRef.of(config_map("a"))
B = ObjectRef.of(config_map("b"))
CRD = ObjectRef("local", "apiextensions.k8s.io", "CustomResourceDefinition", "", "widgets.example.org")
FORBIDDEN = ApiError(403, "Forbidden", "not you")
SLOW = ApiError(503, "ServiceUnavailable", "later")


class ScriptedRun:
    """Stands for an ApplyRun: gives out its commands at once, and keeps the events (ticks apart)."""

    def __init__(self, *commands: Command) -> None:
        self.commands = list(commands)
        self.events: list[Event] = []
        self.ticks = 0
        self.cancelled = False

    def start(self) -> list[Command]:
        return self.commands

    def on(self, event: Event) -> list[Command]:
        if isinstance(event, Tick):
            self.ticks += 1
        else:
            self.events.append(event)
        return []

    def cancel(self) -> list[Command]:
        self.cancelled = True
        return []


class Bench:
    """A runner over fakes."""

    def __init__(self) -> None:
        self.sea = Sea()
        self.clock = LoopClock()
        self.store = FakeStore()
        self.runner = Runner(self.sea.objects, self.store, self.sea.observer, self.clock)
        self.answered: list[ObjectRef] = []
        self.recorded: list[Mapping[ObjectRef, Entry | None]] = []
        self.superseded = False

    async def carry_out(self, *commands: Command) -> ScriptedRun:
        run = ScriptedRun(*commands)
        await self.runner.run(
            cast("ApplyRun", run),
            OWNER,
            timeout_seconds=60,
            superseded=lambda: self.superseded,
            on_answer=self._answered,
            on_recorded=self.recorded.append,
        )
        return run

    async def event(self, command: Command) -> Event:
        (event,) = (await self.carry_out(command)).events
        return event

    def _answered(self, ref: ObjectRef, body: dict[str, Any]) -> None:
        self.answered.append(ref)


@pytest.fixture
async def bench() -> Bench:
    return Bench()


# --- requests


async def test_an_apply_is_answered_and_told(bench: Bench) -> None:
    event = await bench.event(Apply(marked(config_map("a"))))
    assert isinstance(event, Answered)
    assert event.body == bench.sea.body(A)
    assert bench.answered == [A]


async def test_a_refused_apply_is_told_and_its_events_are_no_longer_held(bench: Bench) -> None:
    bench.sea.objects.refuse("apply", str(A), FORBIDDEN)
    assert await bench.event(Apply(marked(config_map("a")))) == Refused(A, FORBIDDEN)
    assert bench.answered == []
    bench.sea.see(bench.sea.applied(config_map("a")))
    assert bench.sea.observer.sighting(A) is not None


async def test_an_apply_under_a_uid_sends_it(bench: Bench) -> None:
    event = await bench.event(Apply(marked(config_map("a")), uid="another"))
    assert isinstance(event, Refused)
    assert event.error.conflict


async def test_a_get_tells_what_is_there(bench: Bench) -> None:
    assert await bench.event(Get(A, "v1")) == Got(A, Absent())
    bench.sea.applied(config_map("a"))
    event = await bench.event(Get(A, "v1"))
    assert isinstance(event, Got)
    assert isinstance(event.observed, Live)


async def test_a_claim_replaces_managed_fields_under_a_resource_version(bench: Bench) -> None:
    answer = bench.sea.applied(config_map("a"))
    version = answer["metadata"]["resourceVersion"]
    event = await bench.event(Claim(A, "v1", (), version))
    assert isinstance(event, Claimed)
    assert event.body["metadata"]["managedFields"] == []
    event = await bench.event(Claim(A, "v1", (), version))
    assert isinstance(event, Refused)
    assert event.error.conflict


async def test_a_removal_is_accepted_or_refused(bench: Bench) -> None:
    answer = bench.sea.applied(config_map("a"))
    event = await bench.event(Remove(A, "v1", "another"))
    assert isinstance(event, Refused)
    assert await bench.event(Remove(A, "v1", answer["metadata"]["uid"])) == Removed(A)
    assert A not in bench.sea.cluster.objects
    assert await bench.event(Remove(A, "v1", answer["metadata"]["uid"])) == Removed(A), "404 counts as done"


async def test_our_marks_come_off(bench: Bench) -> None:
    uid = bench.sea.applied(config_map("a"))["metadata"]["uid"]
    assert await bench.event(Unmark(A, "v1", uid)) == Unmarked(A)
    assert BUCKET_LABEL not in bench.sea.cluster.objects[A]["metadata"]["labels"]


@pytest.mark.parametrize("status", [404, 409])
async def test_what_is_gone_or_another_by_now_needs_no_unmarking(bench: Bench, status: int) -> None:
    bench.sea.objects.refuse("merge", str(A), ApiError(status, "", "no"))
    assert await bench.event(Unmark(A, "v1", "uid")) == Gone(A)


async def test_unmarking_may_be_refused(bench: Bench) -> None:
    bench.sea.objects.refuse("merge", str(A), FORBIDDEN)
    assert await bench.event(Unmark(A, "v1", "uid")) == Refused(A, FORBIDDEN)


# --- the inventory


async def test_entries_are_written_and_told(bench: Bench) -> None:
    entries = {A: Intended("v1"), B: None}
    assert await bench.event(Record(entries)) == Recorded((A, B))
    assert bench.recorded == [entries]
    assert bench.store.changes == [entries]


@pytest.mark.parametrize(("error", "final"), [(SLOW, False), (FORBIDDEN, True)])
async def test_entries_that_are_not_written_are_not_told(bench: Bench, error: ApiError, final: bool) -> None:
    bench.store.trouble = error
    assert await bench.event(Record({A: Intended("v1")})) == RecordFailed(str(error), final=final)
    assert bench.recorded == []


# --- waits


async def test_waiting_for_an_object_to_go(bench: Bench, looptime: Any) -> None:
    uid = bench.sea.applied(config_map("a"))["metadata"]["uid"]
    bench.sea.cluster.hold(A)
    bench.sea.cluster.other_deletes(A)
    bench.sea.objects.refuse("get", str(A), SLOW, times=2)
    assert isinstance(await bench.event(AwaitGone(A, "v1", uid)), TimedOut)
    assert 55 <= looptime <= 61, "it waits as long as it may, and no longer"
    assert len(bench.sea.objects.requests) < 50, "with growing pauses"
    bench.sea.cluster.settle()
    assert await bench.event(AwaitGone(A, "v1", uid)) == Gone(A)


async def test_an_object_made_anew_is_gone(bench: Bench) -> None:
    bench.sea.applied(config_map("a"))
    assert await bench.event(AwaitGone(A, "v1", "an earlier uid")) == Gone(A)


async def test_unknown_is_not_gone(bench: Bench) -> None:
    bench.sea.objects.refuse("get", str(A), SLOW)
    assert await bench.event(AwaitGone(A, "v1", "uid")) == TimedOut(A)


async def test_a_definition_is_waited_for_until_its_kinds_are_served(bench: Bench) -> None:
    assert await bench.event(AwaitEstablished(CRD)) == TimedOut(CRD)
    bench.sea.cluster.other_applies(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": CRD.name},
            "spec": {"group": "example.org", "names": {"kind": "Widget"}},
        }
    )
    assert await bench.event(AwaitEstablished(CRD)) == TimedOut(CRD)
    bench.sea.cluster.set_status(CRD, {"conditions": [{"type": "Established", "status": "True"}]})
    assert await bench.event(AwaitEstablished(CRD)) == Established(CRD)


async def test_a_retry_comes_after_its_delay(bench: Bench, looptime: Any) -> None:
    event = await bench.event(Retry(Get(A, "v1"), 7.0))
    assert event == Got(A, Absent())
    assert looptime == 7


async def test_a_long_run_ticks(bench: Bench) -> None:
    run = await bench.carry_out(Retry(Get(A, "v1"), 7.0))
    assert run.ticks == 3


# --- cancellation and failures


async def test_a_newer_revision_cuts_waits_and_retries_short(bench: Bench, looptime: Any) -> None:
    uid = bench.sea.applied(config_map("a"))["metadata"]["uid"]
    bench.superseded = True
    run = await bench.carry_out(
        AwaitGone(A, "v1", uid),
        Retry(Apply(marked(config_map("b"))), 40.0),
        Retry(Record({A: None}), 40.0),
        Get(B, "v1"),
    )
    assert run.cancelled
    assert looptime < 3
    assert TimedOut(A) in run.events
    assert TimedOut(B) in run.events
    assert RecordFailed("a newer revision came before it was tried again") in run.events
    assert bench.store.changes == []
    assert B not in bench.sea.cluster.objects


async def test_a_newer_revision_is_noticed_while_all_wait(bench: Bench, looptime: Any) -> None:
    uid = bench.sea.applied(config_map("a"))["metadata"]["uid"]
    bench.superseded = True
    run = await bench.carry_out(AwaitGone(A, "v1", uid))
    assert run.events == [TimedOut(A)]
    assert looptime <= 2


async def test_a_request_in_flight_is_seen_to_its_end(bench: Bench) -> None:
    bench.superseded = True
    bench.sea.objects.delay_seconds = 20
    run = await bench.carry_out(Apply(marked(config_map("a"))), Record({B: None}))
    assert [type(event) for event in run.events] == [Recorded, Answered]


async def test_a_bug_in_one_command_surfaces_after_the_others_have_ended(bench: Bench) -> None:
    """Swallowed, its object would have no result, and the revision would count as applied."""

    def stumble(verb: str, about: str) -> ApiError | None:
        if (verb, about) == ("get", str(A)):
            raise RuntimeError("a bug")
        return None

    bench.sea.objects.refusals.append(stumble)
    with pytest.raises(RuntimeError, match="a bug"):
        await bench.carry_out(Get(A, "v1"), Record({B: None}), Retry(Apply(marked(config_map("b"))), 5.0))
    assert bench.recorded == [{B: None}]
    assert B in bench.sea.cluster.objects
