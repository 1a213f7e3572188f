"""Ways out of the cluster: what is deleted, and what only looks like ours."""

from typing import Any

import pytest
from tests.fakes.plan_objects import INTENDED, OTHER, OWNER, applied, live, options, ref_of
from tests.fakes.playbook import Playbook

from trimtab.apply.commands import AwaitGone, Command, Get, Record, Remove, Retry, Unmark
from trimtab.apply.engine import ApplyRun
from trimtab.apply.events import Answered, Gone, Got, Recorded, Refused, Removed, TimedOut, Unmarked
from trimtab.apply.results import Ending, Operation
from trimtab.apply.steps.delete import LOOKS, Delete
from trimtab.apply.steps.moves import UnexpectedEvent
from trimtab.core.api_error import ApiError
from trimtab.core.observed import Absent, Unknown
from trimtab.plan.changes import Delete as DeleteChange
from trimtab.plan.changes import Plan

REF = ref_of("ConfigMap", "a")
GET = Get(REF, "v1")
ENTRY_GOES: list[Command] = [Record({REF: None})]
MODIFIED = ApiError(409, "Conflict", "the UID in the precondition does not match")
OURS: dict[str, Any] = {"owner": OWNER, "applied": True}


def start(change=None):
    plan = Plan(options(), (change or DeleteChange(REF, applied()),), {})
    return Playbook(ApplyRun(plan, entry_of=lambda *_: applied()))


def seen(uid: str = "uid-1", **state: Any) -> Got:
    return Got(REF, live("ConfigMap", "a", uid=uid, **state))


def released(book: Playbook):
    return (book << ENTRY_GOES >> Recorded()).end().results[REF]


def problem_of(book: Playbook):
    result = book.end().results[REF]
    assert result.problem is not None
    return result.problem


def test_what_the_inventory_proves_ours_is_deleted_without_a_look():
    book = start() << [Remove(REF, "v1", "uid-1")] >> Removed(REF) << [AwaitGone(REF, "v1", "uid-1")] >> Gone(REF)
    assert released(book).operation is Operation.DELETE


def test_the_entry_stays_until_the_object_is_gone():
    book = start() << [Remove(REF, "v1", "uid-1")] >> Removed(REF) << [AwaitGone(REF, "v1", "uid-1")] >> TimedOut(REF)
    problem = problem_of(book)
    assert (problem.reason, problem.retry) == ("Terminating", True)
    assert book.run.results[REF].ending is Ending.TERMINATING


def test_what_is_only_intended_is_deleted_where_it_is_proven_ours_as_it_was_read():
    book = start(DeleteChange(REF, INTENDED, verify=True)) << [GET]
    book >> seen("uid-7", version="9", **OURS) << [Remove(REF, "v1", "uid-7", "9")] >> Gone(REF)
    assert released(book).operation is Operation.DELETE


def test_what_was_never_created_is_forgotten():
    book = start(DeleteChange(REF, INTENDED, verify=True)) << [GET] >> Got(REF, Absent())
    assert released(book).ending is Ending.DONE


@pytest.mark.parametrize(
    "state",
    [{}, {"owner": OWNER}, {"applied": True}, {"owner": OTHER, "applied": True}],
    ids=["a stranger", "a copied annotation", "an Apply entry alone", "another Application's"],
)
def test_what_is_not_proven_ours_stays(state):
    book = start(DeleteChange(REF, INTENDED, verify=True)) << [GET] >> seen(**state)
    assert released(book).operation is Operation.ORPHAN


def test_the_known_uid_proves_it_too_unless_another_application_is_named():
    verify = DeleteChange(REF, applied(), verify=True)
    start(verify) << [GET] >> seen() << [Remove(REF, "v1", "uid-1", "5")]
    assert released(start(verify) << [GET] >> seen(owner=OTHER)).operation is Operation.ORPHAN


def test_another_object_under_the_name_stays():
    book = start() << [Remove(REF, "v1", "uid-1")] >> Refused(REF, MODIFIED) << [GET] >> seen("uid-2", owner=OWNER)
    assert released(book).operation is Operation.ORPHAN


def test_an_object_that_changed_since_it_was_read_is_read_again():
    book = start(DeleteChange(REF, INTENDED, verify=True)) << [GET] >> seen(version="9", **OURS)
    book << [Remove(REF, "v1", "uid-1", "9")] >> Refused(REF, MODIFIED) << [GET] >> seen(version="10", **OURS)
    book << [Remove(REF, "v1", "uid-1", "10")]


def test_but_not_for_ever():
    book = start(DeleteChange(REF, INTENDED, verify=True)) << [GET]
    for _ in range(LOOKS - 1):
        book >> seen(**OURS) << [Remove(REF, "v1", "uid-1", "5")] >> Refused(REF, MODIFIED) << [GET]
    book >> seen(**OURS) << [Remove(REF, "v1", "uid-1", "5")] >> Refused(REF, MODIFIED)
    assert problem_of(book).reason == "Conflict"


def test_an_object_that_asks_to_stay_is_unmarked():
    keep: dict[str, Any] = {"annotations": {"trimtab.dev/prune": "disabled"}}
    book = start(DeleteChange(REF, INTENDED, verify=True)) << [GET] >> seen(**OURS, **keep)
    book << [Unmark(REF, "v1", "uid-1")] >> Unmarked(REF)
    assert released(book).operation is Operation.ORPHAN


def test_a_refused_deletion_keeps_the_entry_and_says_which_permission_is_missing():
    message = 'cannot delete resource "configmaps" in API group "" in the namespace "shop"'
    book = start() << [Remove(REF, "v1", "uid-1")] >> Refused(REF, ApiError(403, "Forbidden", message))
    assert "the verb delete on configmaps" in problem_of(book).remedy


@pytest.mark.parametrize("event", [Got(REF, Unknown("timeout")), Refused(REF, ApiError(0, "", "reset"))])
def test_a_look_that_fails_is_repeated(event):
    book = start(DeleteChange(REF, INTENDED, verify=True)) << [GET] >> event
    (again,) = book.take()
    assert isinstance(again, Retry)
    assert again.command == GET


def test_what_is_given_up_is_tried_again_later():
    assert problem_of(start() << [Remove(REF, "v1", "uid-1")] >> TimedOut(REF)).retry


def test_what_does_not_fit_is_the_interpreters_mistake():
    book = start() << [Remove(REF, "v1", "uid-1")]
    with pytest.raises(UnexpectedEvent):
        book >> Answered(REF, {})
    with pytest.raises(UnexpectedEvent):
        Delete(DeleteChange(REF, applied()), options()).recorded()
