"""Drift on the whole loop: corrected, reported or ignored, in what time, and at what cost in requests."""

import asyncio
from typing import Any

import pytest
from tests.fakes.cluster import kind_of
from tests.fakes.controller import Rig, config_map, deployment, ref_to
from tests.fakes.office import APP

from trimtab.core.api_error import ApiError
from trimtab.core.names import DRIFT_ANNOTATION

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")


async def test_an_edit_is_put_back_and_told_with_field_values_and_actor(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.objects.take_requests()
    rig.edit(A, "data.mode", "slow", "mallory")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.objects.take_requests() == [("apply", "ConfigMap/shop/a")], "one request heals"
    item = rig.office.status(APP)["drift"][0]
    assert (item["object"], item["field"]) == ("ConfigMap/shop/a", "data.mode")
    assert (item["declared"], item["live"], item["actor"]) == ('"fast"', '"slow"', "mallory")
    assert item["corrected"]
    assert rig.said("Drifted") == ("False", "NoDrift")
    assert rig.office.told("DriftCorrected") == [
        "ConfigMap/shop/a: data.mode was put back (changed by mallory)",
    ]
    assert rig.metrics.all("drift_detected") == [("trimtab-system", "shop", 1)]
    assert rig.metrics.all("drift_corrected") == [("trimtab-system", "shop", (0.0,))]


async def test_a_deleted_object_comes_back(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.cluster.other_deletes(ref_to(A))
    await rig.settle()
    assert rig.is_there(A)
    item = rig.office.status(APP)["drift"][0]
    assert (item["field"], item["declared"], item["actor"]) == ("", '"ConfigMap present"', "unknown")
    assert rig.office.status(APP)["inventory"] == {"objects": 2, "ready": 2, "drifted": 0}


async def test_a_stripped_label_is_no_deletion(rig: Rig) -> None:
    await rig.sail(A)
    uid = rig.live(A)["metadata"]["uid"]
    rig.cluster.strip_label(ref_to(A))
    await rig.settle()
    assert rig.live(A)["metadata"]["uid"] == uid
    assert "trimtab.dev/bucket" in rig.live(A)["metadata"]["labels"]
    assert rig.office.status(APP)["drift"][0]["field"] == "metadata.labels[trimtab.dev/bucket]"


async def test_an_edit_made_while_the_controller_was_down_is_put_back(rig: Rig) -> None:
    await rig.sail(A, B)
    await rig.stop()
    rig.edit(A, "data.mode", "slow")
    rig.cluster.other_deletes(ref_to(B))
    rig.start()
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.is_there(B)
    assert {item["object"] for item in rig.office.status(APP)["drift"]} == {"ConfigMap/shop/a", "ConfigMap/shop/b"}


async def test_an_edit_made_while_the_watch_was_cut_is_put_back_when_it_returns(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.watches.cut(kind_of(A))
    rig.edit(A, "data.mode", "slow")
    rig.cluster.other_deletes(ref_to(B))
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "slow"}
    rig.watches.mend(kind_of(A))
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.is_there(B)


async def test_the_same_value_by_another_applier_is_no_drift_but_owned_again(rig: Rig) -> None:
    await rig.sail(A)
    rig.edit(A, "data.mode", "fast", "twin")
    await rig.settle()
    assert rig.office.status(APP)["drift"] == []
    assert rig.metrics.all("drift_corrected") == []
    rig.objects.take_requests()
    rig.edit(A, "data.mode", "slow", "twin")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}


async def test_undeclared_fields_cost_nothing(rig: Rig) -> None:
    await rig.sail(A)
    rig.objects.take_requests()
    rig.edit(A, "data.added", "by hand")
    rig.edit(A, "metadata.labels.team", "blue")
    await rig.settle()
    assert rig.objects.take_requests() == []
    assert rig.live(A)["data"] == {"mode": "fast", "added": "by hand"}


# --- Report and Ignore


async def test_reported_drift_stays_and_is_shown(rig: Rig) -> None:
    await rig.sail(A, B, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow", "mallory")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "slow"}
    item = rig.office.status(APP)["drift"][0]
    assert (item["declared"], item["live"], item["actor"]) == ('"fast"', '"slow"', "mallory")
    assert "corrected" not in item
    assert rig.said("Drifted") == ("True", "DriftDetected")
    assert rig.said() == ("True", "Applied"), "drift never changes Ready"
    assert rig.office.status(APP)["inventory"]["drifted"] == 1
    assert rig.metrics.all("drifted")[-1] == ("trimtab-system", "shop", 1)
    assert rig.office.told("DriftDetected")
    rig.objects.take_requests()
    await rig.settle(3600)
    assert rig.objects.take_requests() == []


async def test_reported_drift_ends_when_the_value_is_back_and_is_told_once(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    rig.edit(A, "data.mode", "fast")
    await rig.settle()
    assert rig.office.status(APP)["drift"] == []
    assert rig.said("Drifted") == ("False", "NoDrift")
    assert len(rig.office.told("DriftDetected")) == 1
    rig.edit(A, "data.mode", "slower")
    await rig.settle()
    assert rig.office.status(APP)["drift"][0]["live"] == '"slower"', "and the next one is seen"


async def test_reported_drift_that_changes_is_shown_anew_without_another_dry_run(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    since = rig.office.status(APP)["drift"][0]["since"]
    rig.objects.take_requests()
    rig.edit(A, "data.mode", "slower")
    await rig.settle()
    item = rig.office.status(APP)["drift"][0]
    assert (item["live"], item["since"]) == ('"slower"', since)
    assert rig.objects.take_requests() == []


async def test_a_reported_deletion_is_not_undone(rig: Rig) -> None:
    await rig.sail(A, B, drift={"mode": "Report"})
    rig.cluster.other_deletes(ref_to(A))
    await rig.settle()
    assert not rig.is_there(A)
    assert rig.said("Drifted") == ("True", "DriftDetected")
    assert "was deleted" in rig.message("Drifted")


async def test_reported_drift_that_the_server_would_refuse_to_put_right_is_told_from_git(rig: Rig) -> None:
    fixed = deployment("web")
    fixed["spec"] = {"fixed": "yes"}
    await rig.sail(fixed, drift={"mode": "Report"})
    rig.objects.refuse("dry-run", "Deployment.apps/shop/web", ApiError(422, "Invalid", "field is immutable"))
    rig.edit(fixed, "spec.fixed", "no")
    await rig.settle()
    item = rig.office.status(APP)["drift"][0]
    assert (item["field"], item["declared"], item["live"]) == ("spec.fixed", '"yes"', '"no"')


async def test_reported_drift_is_judged_later_where_the_server_does_not_answer(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.objects.refuse("dry-run", "ConfigMap/shop/a", ApiError(503, "ServiceUnavailable", "later"), times=1)
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    await rig.settle(1200)
    assert rig.said("Drifted") == ("True", "DriftDetected")


async def test_git_overrules_reported_drift(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    rig.push(config_map("a", mode="middle"))
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "middle"}
    assert rig.said("Drifted") == ("False", "NoDrift")


async def test_correcting_begins_when_the_mode_changes(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    rig.office.change(APP, drift={"mode": "Correct"})
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.said("Drifted") == ("False", "NoDrift")


async def test_ignored_drift_is_neither_put_back_nor_shown(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Ignore"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "slow"}
    assert rig.office.status(APP)["drift"] == []
    assert rig.said("Drifted") == ("Unknown", "NotWatched")


async def test_an_objects_own_mode_overrides_the_applications(rig: Rig) -> None:
    own = config_map("own", annotations={DRIFT_ANNOTATION: "Report"})
    await rig.sail(A, own)
    rig.edit(own, "data.mode", "slow")
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    assert rig.live(own)["data"] == {"mode": "slow"}
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.said("Drifted") == ("True", "DriftDetected")


async def test_standing_drift_survives_a_restart_with_its_beginning(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    before = rig.office.status(APP)
    writes = len(rig.office.status_writes)
    await rig.settle(300)
    await rig.restart()
    assert rig.office.status(APP) == before
    assert len(rig.office.status_writes) == writes
    assert len(rig.office.told("DriftDetected")) == 1


# --- fights


async def test_a_fight_slows_down_for_its_object_only(rig: Rig) -> None:
    await rig.sail(A, B)

    def set_back(body: dict[str, Any], there: bool) -> None:
        if body["metadata"]["name"] == "a" and body["data"] == {"mode": "fast"}:
            asyncio.get_running_loop().call_soon(rig.edit, A, "data.mode", "slow", "rival")

    rig.cluster.listeners.append(set_back)
    rig.edit(A, "data.mode", "slow", "rival")
    await rig.settle(3600)
    applies = rig.objects.take_requests().count(("apply", "ConfigMap/shop/a"))
    assert 5 <= applies <= 30, "twelve waits of up to five minutes an hour, not thousands of corrections"
    rig.edit(B, "data.mode", "slow")
    await rig.settle(1)
    assert rig.live(B)["data"] == {"mode": "fast"}, "nobody else waits"
    rig.cluster.listeners.remove(set_back)
    await rig.settle(600)
    assert rig.live(A)["data"] == {"mode": "fast"}


async def test_what_is_no_longer_declared_drifts_no_more(rig: Rig) -> None:
    await rig.sail(A, B, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    rig.push(B)
    await rig.settle()
    assert not rig.is_there(A)
    assert rig.office.status(APP)["drift"] == []


async def test_a_correction_that_fails_is_told_and_tried_again(rig: Rig) -> None:
    await rig.sail(A)
    rig.objects.refuse("apply", "ConfigMap/shop/a", ApiError(403, "Forbidden", "quota exceeded"), times=1)
    rig.edit(A, "data.mode", "slow")
    await rig.settle(0.5)
    assert rig.said()[0] == "False"
    await rig.settle(1200)
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.said() == ("True", "Applied")


async def test_what_stays_without_being_declared_drifts_no_more(rig: Rig) -> None:
    await rig.sail(A, B, drift={"mode": "Report"}, prune=False)
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    rig.push(B)
    await rig.settle()
    assert rig.is_there(A)
    assert rig.office.status(APP)["drift"] == []


async def test_shown_drift_goes_when_the_mode_changes_to_ignore(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    rig.office.change(APP, drift={"mode": "Ignore"})
    await rig.settle()
    assert rig.office.status(APP)["drift"] == []
    assert rig.office.status(APP)["inventory"]["drifted"] == 0


async def test_reported_drift_of_what_the_watches_no_longer_show_is_told_too(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.cluster.strip_label(ref_to(A))
    await rig.settle()
    rig.edit(A, "data.mode", "slow")
    await rig.settle(40)
    fields = {item["field"] for item in rig.office.status(APP)["drift"]}
    assert fields == {"data.mode", "metadata.labels[trimtab.dev/bucket]"}
    rig.cluster.edit(ref_to(A), "metadata.labels", {"trimtab.dev/bucket": "test-181"})
    rig.edit(A, "data.mode", "fast")
    await rig.settle(60)
    rig.objects.take_requests()
    await rig.settle(600)
    assert rig.objects.take_requests() == [], "and once they show it again, nothing is asked"
