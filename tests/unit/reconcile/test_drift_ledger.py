"""What drifts now and what was put right lately, with its times."""

from typing import Any

from trimtab.core.refs import ObjectRef
from trimtab.drift.compare import FieldDrift
from trimtab.reconcile.drift_ledger import DriftLedger
from trimtab.report.drift_items import DRIFT_ITEMS

A = ObjectRef("local", "", "ConfigMap", "shop", "a")
B = ObjectRef("local", "", "ConfigMap", "shop", "b")


def drift(field: str = "data.mode", live: Any = "slow") -> FieldDrift:
    return FieldDrift(field, "fast", live, "mallory")


def test_new_drift_is_fresh_once() -> None:
    ledger = DriftLedger()
    assert [record.field for record in ledger.stands(A, [drift()], now=10)] == ["data.mode"]
    assert ledger.stands(A, [drift()], now=20) == []
    assert [record.since_seconds for record in ledger.records] == [10]
    assert ledger.drifted == {A}


def test_another_value_is_fresh_but_began_when_it_began() -> None:
    ledger = DriftLedger()
    ledger.stands(A, [drift()], now=10)
    fresh = ledger.stands(A, [drift(live="slower")], now=20)
    assert [(record.live, record.since_seconds) for record in fresh] == [("slower", 10)]


def test_fields_that_no_longer_differ_go() -> None:
    ledger = DriftLedger()
    ledger.stands(A, [drift(), drift("data.size")], now=10)
    ledger.stands(B, [drift()], now=10)
    assert ledger.stands(A, [drift("data.size")], now=20) == []
    assert {(record.ref, record.field) for record in ledger.records} == {(A, "data.size"), (B, "data.mode")}


def test_a_correction_takes_the_time_since_it_was_seen() -> None:
    ledger = DriftLedger()
    records = ledger.corrected(A, [drift()], now=12, seen=10)
    assert [(record.since_seconds, record.corrected_seconds) for record in records] == [(10, 12)]
    assert ledger.drifted == set()
    assert ledger.records == records


def test_a_correction_of_standing_drift_began_when_that_began_and_settles_the_object() -> None:
    ledger = DriftLedger()
    ledger.stands(A, [drift(), drift("data.size")], now=3)
    records = ledger.corrected(A, [drift()], now=12, seen=10)
    assert [record.since_seconds for record in records] == [3]
    assert ledger.drifted == set()


def test_settling_says_whether_there_was_anything() -> None:
    ledger = DriftLedger()
    ledger.stands(A, [drift()], now=1)
    assert ledger.settle(A)
    assert not ledger.settle(A)


def test_only_declared_objects_drift() -> None:
    ledger = DriftLedger()
    ledger.stands(A, [drift()], now=1)
    ledger.stands(B, [drift()], now=1)
    ledger.retain({B})
    assert ledger.drifted == {B}


def test_standing_comes_before_corrected_and_new_before_old() -> None:
    ledger = DriftLedger()
    ledger.corrected(A, [drift("first")], now=1, seen=1)
    ledger.corrected(A, [drift("second")], now=2, seen=2)
    ledger.stands(A, [drift("third")], now=3)
    ledger.stands(B, [drift("fourth")], now=4)
    assert [record.field for record in ledger.records] == ["fourth", "third", "second", "first"]


def test_corrections_are_bounded() -> None:
    ledger = DriftLedger()
    for number in range(DRIFT_ITEMS + 5):
        ledger.corrected(A, [drift(f"data.{number}")], now=number, seen=number)
    assert len(ledger.records) == DRIFT_ITEMS
    assert ledger.records[0].field == f"data.{DRIFT_ITEMS + 4}"


def test_a_ledger_goes_on_from_what_was_shown() -> None:
    before = DriftLedger()
    before.corrected(A, [drift("data.old")], now=2, seen=1)
    before.stands(A, [drift()], now=3)
    after = DriftLedger.seeded(before.records)
    assert after.records == before.records
    assert after.stands(A, [drift()], now=9) == []
