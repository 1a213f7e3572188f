"""Drift as status shows it."""

import orjson

from trimtab.api.application import DriftItem
from trimtab.core.fields.path import MISSING
from trimtab.core.refs import ObjectRef
from trimtab.drift.presentable import Excerpt
from trimtab.report.drift_items import DRIFT_ITEMS, DriftRecord, drift_items, drift_sentence, seed

T0 = 1767225600.0
WEB = ObjectRef("local", "apps", "Deployment", "shop", "web")
SECRET = ObjectRef("local", "", "Secret", "shop", "login")


def test_values_as_json():
    (item,) = drift_items([DriftRecord(WEB, "spec.template", {"b": 1, "a": [None, "ü"]}, MISSING, "kubectl-edit", T0)])
    assert item == DriftItem(
        object="Deployment.apps/shop/web",
        field="spec.template",
        declared='{"a":[null,"ü"],"b":1}',
        live="",
        actor="kubectl-edit",
        since="2026-01-01T00:00:00Z",
    )


def test_null_is_not_missing():
    (item,) = drift_items([DriftRecord(WEB, "spec.x", None, MISSING, "unknown", T0)])
    assert (item.declared, item.live) == ("null", "")


def test_long_values_are_cut():
    (item,) = drift_items([DriftRecord(WEB, "spec.x", "a" * 1000, "b", "unknown", T0)])
    assert len(item.declared) == 256
    assert item.declared.endswith("…")


def test_an_excerpt_of_a_value_is_shown_as_it_is_and_never_of_a_secret():
    part = Excerpt('["/bin/sh","-c","…')
    (item,) = drift_items([DriftRecord(WEB, "spec.x", part, Excerpt('["a\x1b"]'), "unknown", T0)])
    assert (item.declared, item.live) == ('["/bin/sh","-c","…', '["a\\x1b"]')
    (masked,) = drift_items([DriftRecord(SECRET, "data.x", part, part, "unknown", T0)])
    assert part not in masked.declared


def test_secrets_are_masked():
    records = [
        DriftRecord(SECRET, "data.password", "aHVudGVyMg==", "eHh4", "kubectl", T0),
        DriftRecord(SECRET, "metadata.annotations.x", "hunter2", MISSING, "kubectl", T0),
        DriftRecord(SECRET, "metadata.labels.tier", "gold", "iron", "kubectl", T0),
        DriftRecord(SECRET, "typeX", "hunter2", "hunter3", "kubectl", T0),
        DriftRecord(SECRET, "type", "Opaque", "Other", "kubectl", T0),
    ]
    shown = {item.field: (item.declared, item.live) for item in drift_items(records)}
    assert shown == {
        "data.password": ("(masked)", "(masked)"),
        "metadata.annotations.x": ("(masked)", ""),
        "metadata.labels.tier": ('"gold"', '"iron"'),
        "typeX": ("(masked)", "(masked)"),
        "type": ('"Opaque"', '"Other"'),
    }


def test_standing_first_then_corrected_newest_first_and_bounded():
    standing = [DriftRecord(WEB, f"s{number}", 1, 2, "a", T0 + number) for number in range(3)]
    corrected = [DriftRecord(WEB, f"c{number}", 1, 2, "a", T0 + number, T0 + 100) for number in range(30)]
    items = drift_items([*corrected, *standing])
    assert len(items) == DRIFT_ITEMS
    assert [item.field for item in items[:5]] == ["s2", "s1", "s0", "c29", "c28"]
    assert items[0].corrected is None
    assert items[3].corrected == "2026-01-01T00:01:40Z"


def test_sentence():
    records = [
        DriftRecord(WEB, "spec.replicas", 3, 5, "kubectl", T0),
        DriftRecord(SECRET, "", MISSING, MISSING, "unknown", T0 + 1),
        DriftRecord(WEB, "spec.paused", False, True, "kubectl", T0 + 2, T0 + 3),
    ]
    assert drift_sentence(records) == "2 objects drifted: Secret/shop/login was deleted (by unknown)"
    assert drift_sentence(records[:1]) == "1 object drifted: Deployment.apps/shop/web spec.replicas (by kubectl)"


def test_a_new_loop_shows_what_the_status_showed():
    items = drift_items(
        [
            DriftRecord(WEB, "spec.replicas", 3, 5, "kubectl", T0 + 0.5),
            DriftRecord(SECRET, "data.a", "x", MISSING, "kubectl", T0, T0 + 1),
        ]
    )
    assert drift_items(seed(items)) == items
    assert [record.standing for record in seed(items)] == [True, False]


def test_the_order_within_a_second_is_the_same_in_a_new_loop_too():
    times = {"a": 0.1, "b": 0.9, "c": 0.5}
    records = [DriftRecord(WEB, field, 3, 5, "kubectl", T0 + later, T0 + later) for field, later in times.items()]
    items = drift_items(records)
    assert [item.field for item in items] == ["b", "c", "a"]
    assert drift_items(seed(items)) == items
    assert drift_items(seed(drift_items(seed(items)))) == items


def test_unreadable_items_are_left_out():
    good = drift_items([DriftRecord(WEB, "spec.replicas", 3, 5, "kubectl", T0)])[0]
    bad = [good.model_copy(update={"object": "nonsense"}), good.model_copy(update={"since": "yesterday"})]
    assert len(seed([*bad, good])) == 1


def test_values_are_valid_json():
    (item,) = drift_items([DriftRecord(WEB, "spec.x", {"a": 1.5}, [True], "a", T0)])
    assert (orjson.loads(item.declared), orjson.loads(item.live)) == ({"a": 1.5}, [True])
