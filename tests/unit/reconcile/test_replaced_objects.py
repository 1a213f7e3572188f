"""An object that was deleted and made anew by somebody else: drift like any other, in every mode."""

import pytest
from tests.fakes.controller import Rig, config_map, ref_to
from tests.fakes.office import APP

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")
OTHER = config_map("a", mode="slow")


async def replaced_while_down(rig: Rig, **spec: object) -> None:
    await rig.sail(A, B, **spec)
    await rig.stop()
    rig.cluster.other_deletes(ref_to(A))
    rig.cluster.other_applies(OTHER)
    rig.start()
    await rig.settle()


async def test_it_is_taken_over_again_and_told_field_by_field(rig: Rig) -> None:
    await replaced_while_down(rig)
    assert rig.live(A)["data"] == {"mode": "fast"}
    told = {item["field"]: (item["declared"], item["live"]) for item in rig.office.status(APP)["drift"]}
    assert told["data.mode"] == ('"fast"', '"slow"')
    assert "metadata.annotations[trimtab.dev/owner]" in told
    assert all("corrected" in item for item in rig.office.status(APP)["drift"])
    assert rig.metrics.all("drift_corrected")


async def test_in_report_mode_it_is_left_alone_and_told(rig: Rig) -> None:
    await replaced_while_down(rig, drift={"mode": "Report"})
    assert rig.live(A)["data"] == {"mode": "slow"}
    assert rig.said("Drifted") == ("True", "DriftDetected")
    assert "data.mode" in {item["field"] for item in rig.office.status(APP)["drift"]}
    assert rig.said() == ("True", "Applied")


async def test_in_ignore_mode_it_is_left_alone(rig: Rig) -> None:
    await replaced_while_down(rig, drift={"mode": "Ignore"})
    assert rig.live(A)["data"] == {"mode": "slow"}
    assert rig.office.status(APP)["drift"] == []
