"""While a fight makes a correction wait, status says that the object drifts, and an Event that somebody fights."""

import asyncio
from typing import Any

import pytest
from tests.fakes.controller import Rig, config_map
from tests.fakes.office import APP

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")


def rival(rig: Rig) -> Any:
    """Sets the value back as soon as it is put right."""

    def set_back(body: dict[str, Any], there: bool) -> None:
        if body["metadata"]["name"] == "a" and body["data"] == {"mode": "fast"}:
            asyncio.get_running_loop().call_soon(rig.edit, A, "data.mode", "slow", "rival")

    rig.cluster.listeners.append(set_back)
    return set_back


async def test_what_waits_is_told_as_drift_and_as_a_fight(rig: Rig) -> None:
    await rig.sail(A, B)
    rival(rig)
    rig.edit(A, "data.mode", "slow", "rival")
    await rig.settle(1)
    assert rig.said("Drifted") == ("True", "DriftDetected")
    assert rig.message("Drifted") == "1 object drifted: ConfigMap/shop/a data.mode (by rival)"
    assert rig.office.status(APP)["inventory"]["drifted"] == 1
    (note,) = rig.office.told("Fight")
    assert note.startswith("ConfigMap/shop/a: data.mode is changed again and again by rival")
    assert "in 2 s" in note


async def test_the_end_of_a_fight_is_told(rig: Rig) -> None:
    await rig.sail(A, B)
    listener = rival(rig)
    rig.edit(A, "data.mode", "slow", "rival")
    await rig.settle(1)
    rig.cluster.listeners.remove(listener)
    await rig.settle(10)
    assert rig.live(A)["data"] == {"mode": "fast"}
    assert rig.said("Drifted") == ("False", "NoDrift")
    assert rig.office.status(APP)["inventory"]["drifted"] == 0


async def test_drift_that_stood_before_it_was_corrected_counts_once(rig: Rig) -> None:
    await rig.sail(A, drift={"mode": "Report"})
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    rig.office.change(APP, drift={"mode": "Correct"})
    await rig.settle()
    assert [each[2] for each in rig.metrics.all("drift_detected") if each[2]] == [1]
    assert len(rig.metrics.all("drift_corrected")) == 1


async def test_a_rivals_own_change_of_mind_asks_for_nothing_while_we_wait(rig: Rig) -> None:
    await rig.sail(A, B)
    listener = rival(rig)
    rig.edit(A, "data.mode", "slow", "rival")
    await rig.settle(1)
    rig.cluster.listeners.remove(listener)
    rig.objects.take_requests()
    for value in ("slower", "slow", "slower", "slow"):
        rig.edit(A, "data.mode", value, "rival")
        await asyncio.sleep(0.05)
    assert rig.objects.take_requests() == []
