from tests.fakes.plan_objects import INTENDED, applied, ref_of

from trimtab.apply.commands import Record, Retry
from trimtab.apply.events import RecordFailed
from trimtab.apply.ledger import BATCH, Ledger
from trimtab.apply.retry import DELAYS_SECONDS

A, B, C = (ref_of("ConfigMap", name) for name in "abc")
FAILED = RecordFailed("etcd is slow")


def test_what_somebody_waits_for_is_written_at_once_with_all_that_was_gathered():
    ledger = Ledger()
    ledger.put(A, applied())
    assert ledger.take(flush=False) is None
    ledger.require(B, INTENDED)
    assert ledger.take(flush=False) == Record({A: applied(), B: INTENDED})
    assert ledger.recorded() == {B}
    assert ledger.settled


def test_one_write_at_a_time():
    ledger = Ledger()
    ledger.require(A, INTENDED)
    assert ledger.take(flush=True) is not None
    ledger.require(B, INTENDED)
    assert ledger.take(flush=True) is None
    assert ledger.recorded() == {A}
    assert ledger.take(flush=True) == Record({B: INTENDED})


def test_results_are_gathered_until_there_are_many_or_somebody_asks():
    ledger = Ledger()
    for number in range(BATCH - 1):
        ledger.put(ref_of("ConfigMap", str(number)), applied())
    assert ledger.take(flush=False) is None
    ledger.put(A, None)
    record = ledger.take(flush=False)
    assert record is not None
    assert len(record.entries) == BATCH
    assert record.entries[A] is None
    ledger.recorded()
    assert ledger.take(flush=True) is None


def test_the_last_entry_of_an_object_counts():
    ledger = Ledger()
    ledger.require(A, INTENDED)
    ledger.put(A, applied())
    assert ledger.take(flush=False) == Record({A: applied()})


def test_a_failed_write_is_tried_again_with_what_came_meanwhile():
    ledger = Ledger()
    ledger.require(A, INTENDED)
    ledger.put(B, applied("old"))
    ledger.take(flush=True)
    ledger.put(B, applied("new"))
    ledger.require(C, INTENDED)
    again = ledger.failed(FAILED, retry=True)
    assert isinstance(again, Retry)
    assert again.command == Record({A: INTENDED, B: applied("new"), C: INTENDED})
    assert ledger.busy
    assert ledger.recorded() == {A, C}
    assert ledger.settled


def test_after_a_few_tries_those_who_wait_are_told():
    ledger = Ledger()
    ledger.require(A, INTENDED)
    ledger.take(flush=True)
    for _ in DELAYS_SECONDS:
        assert isinstance(ledger.failed(FAILED, retry=True), Retry)
    assert ledger.failed(FAILED, retry=True) == {A}
    assert ledger.settled


def test_final_failures_and_cancelled_runs_are_not_tried_again():
    for event, retry in ((RecordFailed("forbidden", final=True), True), (FAILED, False)):
        ledger = Ledger()
        ledger.require(A, INTENDED)
        ledger.take(flush=True)
        assert ledger.failed(event, retry=retry) == {A}
