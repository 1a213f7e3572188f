"""The run as a whole: write-ahead, limit, edges, batches, cancellation."""

import pytest
from tests.fakes.plan_objects import INTENDED, applied, live, manifest, options, owned, ref_of
from tests.fakes.playbook import Playbook

from trimtab.apply.commands import Apply, AwaitEstablished, AwaitGone, Record, Remove, Retry
from trimtab.apply.engine import ApplyRun
from trimtab.apply.events import (
    Answered,
    Established,
    Gone,
    Recorded,
    RecordFailed,
    Refused,
    Removed,
    Tick,
    TimedOut,
)
from trimtab.apply.results import Ending, Operation
from trimtab.apply.steps.moves import UnexpectedEvent
from trimtab.core.api_error import ApiError
from trimtab.plan.build import build, teardown
from trimtab.plan.changes import Create, Delete, Forget, Held, Orphan, Plan, Unchanged, Update
from trimtab.plan.order import edges
from trimtab.plan.sight import Missing

A, B, C = (manifest("ConfigMap", name) for name in "abc")
SPACE = manifest("Namespace", "shop")
DEFINITION = manifest(
    "CustomResourceDefinition", "widgets.example.org", spec={"group": "example.org", "names": {"kind": "Widget"}}
)
WIDGET = manifest("Widget", "one", namespace="blog")
DENIED = ApiError(403, "Forbidden", "no")


def answer(declared, uid="uid-1"):
    return Answered(declared.ref, live(declared.ref.kind, declared.ref.name, uid=uid).body)


def start(*changes, in_flight=32, **plan):
    found = edges(changes, plurals={})
    made = Plan(options(), tuple(changes), found, **plan)
    return Playbook(ApplyRun(made, entry_of=lambda _, body: applied(body["metadata"]["uid"]), in_flight=in_flight))


def endings(run):
    return {ref.name: result.ending for ref, result in run.results.items()}


def test_a_first_sync_records_all_intentions_before_it_applies_anything():
    book = start(Create(A), Create(B))
    book << [Record({A.ref: INTENDED, B.ref: INTENDED})] >> Recorded() << [Apply(A), Apply(B)]
    book >> answer(A, "ua") << [] >> answer(B, "ub") << [Record({A.ref: applied("ua"), B.ref: applied("ub")})]
    assert not book.run.done
    run = (book >> Recorded()).end()
    assert endings(run) == {"a": Ending.DONE, "b": Ending.DONE}
    assert run.results[A.ref].operation is Operation.CREATE
    assert run.problems == []


def test_updates_of_what_is_on_record_need_not_wait_for_the_inventory():
    book = start(Create(A), Update(B, applied("ub"), "ub"))
    book << [Record({A.ref: INTENDED}), Apply(B, "ub")] >> Recorded() << [Apply(A)]


def test_what_is_intended_already_is_not_recorded_again():
    book = start(Create(A, INTENDED)) << [Apply(A)]
    assert not book.run.done


def test_no_more_than_the_limit_is_out():
    book = start(Create(A, INTENDED), Create(B, INTENDED), Create(C, INTENDED), in_flight=2)
    book << [Apply(A), Apply(B)] >> answer(B) << [Apply(C)]
    assert endings(book.run) == {"b": Ending.DONE}


def test_a_retry_keeps_its_place():
    book = start(Create(A, INTENDED), Create(B, INTENDED), in_flight=1)
    book << [Apply(A)] >> Refused(A.ref, ApiError(503, "", "busy"))
    (again,) = book.take()
    assert isinstance(again, Retry)
    assert again.command == Apply(A)
    book >> answer(A) << [Apply(B)]


def test_objects_wait_for_their_namespace():
    book = start(Create(SPACE, INTENDED), Create(A, INTENDED))
    book << [Apply(SPACE)] >> answer(SPACE) << [Apply(A)]


def test_custom_resources_wait_until_their_kind_is_served():
    book = start(Create(DEFINITION, INTENDED), Create(WIDGET, INTENDED))
    book << [Apply(DEFINITION)] >> answer(DEFINITION) << [AwaitEstablished(DEFINITION.ref)]
    book >> Established(DEFINITION.ref) << [Apply(WIDGET)]


def test_a_definition_that_is_applied_is_on_record_while_it_is_awaited():
    book = start(Create(DEFINITION, INTENDED), Create(WIDGET, INTENDED))
    book << [Apply(DEFINITION)] >> answer(DEFINITION) << [AwaitEstablished(DEFINITION.ref)]
    book >> Tick() << [Record({DEFINITION.ref: applied()})]
    assert endings(book.run) == {}


def test_a_definition_that_stands_is_looked_at_only_for_what_waits():
    start(Unchanged(DEFINITION)).end()
    book = start(Unchanged(DEFINITION), Create(WIDGET, INTENDED))
    book << [AwaitEstablished(DEFINITION.ref)] >> TimedOut(DEFINITION.ref)
    run = book.end()
    assert endings(run) == {"widgets.example.org": Ending.FAILED, "one": Ending.BLOCKED}


def test_waits_take_no_place_from_requests():
    book = start(Unchanged(DEFINITION), Create(WIDGET, INTENDED), Create(A, INTENDED), in_flight=1)
    book << [AwaitEstablished(DEFINITION.ref), Apply(A)]
    assert not book.run.done


def test_a_failure_blocks_what_waits_for_it_and_nothing_else():
    book = start(Create(SPACE, INTENDED), Create(A, INTENDED), Create(WIDGET, INTENDED))
    book << [Apply(SPACE), Apply(WIDGET)] >> Refused(SPACE.ref, DENIED) << []
    book >> answer(WIDGET) << [Record({WIDGET.ref: applied()})]
    run = (book >> Recorded()).end()
    assert endings(run) == {"shop": Ending.FAILED, "a": Ending.BLOCKED, "one": Ending.DONE}
    assert run.blocked == {A.ref: SPACE.ref}
    blocked = run.results[A.ref].problem
    assert blocked is not None
    assert (blocked.reason, blocked.retry, blocked.origin) == ("Blocked", False, A.origin)
    assert "waits for Namespace/shop" in blocked.message
    assert [problem.ref for problem in run.problems] == [SPACE.ref, A.ref]


def test_what_the_plan_refused_is_among_the_problems():
    made = build([A], {}, {}, options())
    assert [problem.reason for problem in ApplyRun(made, entry_of=lambda *_: applied()).problems] == ["Unknown"]


def test_prunes_start_when_all_applies_have_ended():
    book = start(Create(A, INTENDED), Delete(B.ref, applied("ub")), Forget(C.ref, applied()))
    book << [Apply(A)] >> Refused(A.ref, DENIED) << [Remove(B.ref, "v1", "ub")]
    book >> Gone(B.ref) << [Record({B.ref: None, C.ref: None})]
    run = (book >> Recorded()).end()
    assert endings(run) == {"a": Ending.FAILED, "b": Ending.DONE, "c": Ending.DONE}


def test_a_namespace_is_deleted_when_its_contents_are_gone():
    book = start(Delete(A.ref, applied("ua")), Delete(SPACE.ref, applied("un")))
    book << [Remove(A.ref, "v1", "ua")] >> Removed(A.ref) << [AwaitGone(A.ref, "v1", "ua")]
    book >> Gone(A.ref) << [Remove(SPACE.ref, "v1", "un")]
    assert endings(book.run) == {"a": Ending.DONE}


@pytest.mark.parametrize(("leaving", "expected"), [(False, Ending.BLOCKED), (True, Ending.DONE)])
def test_contents_that_hang_block_their_namespace_but_never_a_teardown(leaving, expected):
    book = start(Delete(A.ref, applied("ua")), Delete(SPACE.ref, applied("un")), teardown=leaving)
    book << [Remove(A.ref, "v1", "ua")] >> Removed(A.ref) << [AwaitGone(A.ref, "v1", "ua")] >> TimedOut(A.ref)
    if leaving:
        book << [Remove(SPACE.ref, "v1", "un")] >> Gone(SPACE.ref) << [Record({SPACE.ref: None})] >> Recorded()
    run = book.end()
    assert endings(run) == {"a": Ending.TERMINATING, "shop": expected}
    assert run.results[A.ref].problem is not None


def test_a_tick_writes_what_was_gathered():
    book = start(Create(A, INTENDED), Create(B, INTENDED))
    book << [Apply(A), Apply(B)] >> answer(A) << [] >> Tick() << [Record({A.ref: applied()})] >> Tick() << []
    assert endings(book.run) == {"a": Ending.DONE}


def test_unchanged_and_held_objects_need_nothing():
    run = start(Unchanged(A), Held(B)).end()
    assert {result.operation for result in run.results.values()} == {Operation.NONE}


def test_without_an_inventory_nothing_is_applied():
    book = start(Create(SPACE), Create(A), Update(WIDGET, applied("uw"), "uw"))
    (_, apply) = book.take()
    assert apply == Apply(WIDGET, "uw")
    book >> RecordFailed("forbidden", final=True) << []
    book >> answer(WIDGET) << [Record({WIDGET.ref: applied()})]
    run = (book >> Recorded()).end()
    assert endings(run) == {"shop": Ending.FAILED, "a": Ending.BLOCKED, "one": Ending.DONE}
    assert {problem.reason for problem in run.problems} == {"InventoryFailed", "Blocked"}


def test_a_slow_inventory_is_tried_again():
    book = start(Create(A)) << [Record({A.ref: INTENDED})] >> RecordFailed("slow")
    (again,) = book.take()
    assert isinstance(again, Retry)
    assert again.command == Record({A.ref: INTENDED})
    book >> Recorded() << [Apply(A)]


def test_results_that_cannot_be_written_are_a_problem_and_no_more():
    book = start(Create(A, INTENDED)) << [Apply(A)] >> answer(A) << [Record({A.ref: applied()})]
    run = (book >> RecordFailed("gone", final=True)).end()
    assert endings(run) == {"a": Ending.DONE}
    assert run.problems[0].reason == "InventoryFailed"


class TestCancellation:
    def test_lets_requests_answer_and_records_what_they_did(self):
        book = start(Create(A, INTENDED), Create(B, INTENDED), in_flight=1)
        book << [Apply(A)]
        book.cancel() << [] >> answer(A) << [Record({A.ref: applied()})]
        run = (book >> Recorded()).end()
        assert endings(run) == {"a": Ending.DONE, "b": Ending.SUPERSEDED}
        assert run.problems == []

    def test_goes_on_with_nothing(self):
        book = start(Create(DEFINITION, INTENDED), Create(WIDGET, INTENDED), Create(A, INTENDED))
        book << [Apply(DEFINITION), Apply(A)]
        book.cancel() << [] >> Refused(A.ref, ApiError(503, "", "busy")) << []
        book >> answer(DEFINITION) << [Record({DEFINITION.ref: applied()})]
        run = (book >> Recorded()).end()
        assert set(endings(run).values()) == {Ending.SUPERSEDED}

    def test_is_answered_for_waits_at_once(self):
        book = start(Delete(A.ref, applied("ua")), Delete(SPACE.ref, applied("un")))
        book << [Remove(A.ref, "v1", "ua")] >> Removed(A.ref) << [AwaitGone(A.ref, "v1", "ua")]
        run = (book.cancel() << [] >> TimedOut(A.ref)).end()
        assert set(endings(run).values()) == {Ending.SUPERSEDED}

    def test_gives_up_what_waits_for_the_inventory(self):
        book = start(Create(A), Update(B, applied("ub"), "ub"))
        book << [Record({A.ref: INTENDED}), Apply(B, "ub")]
        book.cancel() << [] >> RecordFailed("slow") << []
        book >> Refused(B.ref, ApiError(409, "Conflict", "uid mismatch")) << []
        assert endings(book.end()) == {"a": Ending.SUPERSEDED, "b": Ending.SUPERSEDED}

    def test_before_anything_began_leaves_nothing(self):
        book = start(Create(A))
        book << [Record({A.ref: INTENDED})]
        book.cancel() << []
        assert endings((book >> Recorded()).end()) == {"a": Ending.SUPERSEDED}

    def test_of_a_step_that_would_write_ends_it(self):
        book = start(Update(B, applied("ub"), "ub")) << [Apply(B, "ub")]
        book >> Refused(B.ref, ApiError(409, "Conflict", "uid mismatch"))
        book.take()
        book.cancel() << []
        book >> TimedOut(B.ref)
        assert endings(book.end()) == {"b": Ending.SUPERSEDED}


@pytest.mark.parametrize("event", [answer(A), Recorded(), RecordFailed("x"), TimedOut(ref_of("ConfigMap", "z"))])
def test_an_answer_to_nothing_is_the_interpreters_mistake(event):
    book = start(Unchanged(A))
    with pytest.raises(UnexpectedEvent):
        book >> event


def test_a_whole_life():
    """Plan, run, nothing more to do, teardown: nothing is left."""
    digests = options(declared_digests={A.ref: "decl"})
    run = Playbook(ApplyRun(build([A], {}, {A.ref: Missing()}, digests), entry_of=lambda *_: applied()))
    run << [Record({A.ref: INTENDED})] >> Recorded() << [Apply(A)] >> answer(A) << [Record({A.ref: applied()})]
    (run >> Recorded()).end()
    Playbook(ApplyRun(build([A], {A.ref: applied()}, {A.ref: owned()}, digests), entry_of=lambda *_: applied())).end()
    gone = Playbook(ApplyRun(teardown({A.ref: applied()}, {A.ref: owned()}, digests), entry_of=lambda *_: applied()))
    gone << [Remove(A.ref, "v1", "uid-1")] >> Gone(A.ref) << [Record({A.ref: None})] >> Recorded()
    assert endings(gone.end()) == {"a": Ending.DONE}


def test_orphans_have_their_turn_with_the_prunes():
    book = start(Orphan(A.ref, applied(), "why", unmark=False)) << [Record({A.ref: None})] >> Recorded()
    assert book.end().results[A.ref].operation is Operation.ORPHAN
