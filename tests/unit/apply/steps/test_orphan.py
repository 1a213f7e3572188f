"""Letting go: marks come off, the object stays."""

import pytest
from tests.fakes.plan_objects import INTENDED, OWNER, applied, live, options, ref_of
from tests.fakes.playbook import Playbook

from trimtab.apply.commands import Get, Record, Retry, Unmark
from trimtab.apply.engine import ApplyRun
from trimtab.apply.events import Answered, Gone, Got, Recorded, Refused, TimedOut, Unmarked
from trimtab.apply.results import Ending
from trimtab.apply.steps.moves import UnexpectedEvent
from trimtab.apply.steps.orphan import Orphan
from trimtab.core.api_error import ApiError, Cause
from trimtab.core.observed import Absent, Unknown
from trimtab.plan.changes import Orphan as OrphanChange
from trimtab.plan.changes import Plan

REF = ref_of("ConfigMap", "a")
UNMARK = [Unmark(REF, "v1", "uid-1")]
GET = [Get(REF, "v1")]
FORBIDDEN = ApiError(403, "Forbidden", "no")


def start(entry, *, unmark=True, teardown=False):
    change = OrphanChange(REF, entry, "why", unmark=unmark)
    plan = Plan(options(), (change,), {}, teardown=teardown)
    return Playbook(ApplyRun(plan, entry_of=lambda *_: applied()))


def let_go(book):
    result = (book << [Record({REF: None})] >> Recorded()).end().results[REF]
    assert result.ending is Ending.DONE
    return result


@pytest.mark.parametrize(
    "event",
    [
        Unmarked(REF),
        Gone(REF),
        Refused(REF, ApiError(404, "NotFound", "")),
        Refused(REF, ApiError(409, "Conflict", "")),
        Refused(REF, ApiError(422, "Invalid", "", causes=(Cause("metadata.uid", "field is immutable"),))),
    ],
    ids=["unmarked", "gone", "absent", "another", "another by validation"],
)
def test_marks_come_off_the_very_object_or_nothing_is_left_to_do(event):
    assert let_go(start(applied()) << UNMARK >> event).problem is None


def test_without_a_known_uid_only_what_is_proven_ours_is_unmarked():
    book = start(INTENDED) << GET >> Got(REF, live("ConfigMap", "a", owner=OWNER, applied=True)) << UNMARK
    let_go(book >> Unmarked(REF))
    assert let_go(start(INTENDED) << GET >> Got(REF, live("ConfigMap", "a", owner=OWNER))).problem is None
    assert let_go(start(INTENDED) << GET >> Got(REF, Absent())).problem is None


def test_what_is_somebody_elses_is_let_go_without_a_request():
    assert let_go(start(applied(), unmark=False)).problem is None


def test_marks_that_stay_keep_the_object_tracked():
    result = (start(applied()) << UNMARK >> Refused(REF, FORBIDDEN)).end().results[REF]
    assert result.ending is Ending.FAILED


def test_but_a_teardown_does_not_hang_on_them():
    book = start(applied(), teardown=True) << UNMARK >> Refused(REF, FORBIDDEN) << [Record({REF: None})] >> Recorded()
    assert [problem.reason for problem in book.end().problems] == ["Forbidden"]


@pytest.mark.parametrize("event", [Got(REF, Unknown("timeout")), Refused(REF, ApiError(503, "", "busy"))])
def test_trouble_that_passes_is_waited_out(event):
    (again,) = (start(INTENDED) << GET >> event).take()
    assert isinstance(again, Retry)
    assert again.command == GET[0]


def test_what_is_given_up_stays_tracked():
    result = (start(applied()) << UNMARK >> TimedOut(REF)).end().results[REF]
    assert result.problem is not None
    assert result.problem.retry


def test_what_does_not_fit_is_the_interpreters_mistake():
    book = start(applied()) << UNMARK
    with pytest.raises(UnexpectedEvent):
        book >> Answered(REF, {})
    with pytest.raises(UnexpectedEvent):
        Orphan(OrphanChange(REF, applied(), ""), options(), leaving=False).recorded()
