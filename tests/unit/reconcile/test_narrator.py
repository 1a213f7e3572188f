"""What users and dashboards are told of an Application: each thing once, with the right times."""

import pytest
from tests.fakes.controller import AVAILABLE, Rig, config_map, deployment, ref_to
from tests.fakes.office import APP

from trimtab.core.api_error import ApiError

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")
WEB = deployment("web")


async def test_commit_to_applied_and_healthy_are_measured_once_per_revision(rig: Rig) -> None:
    await rig.sail(WEB)
    assert rig.metrics.all("commit_applied") == [(pytest.approx(0.0, abs=0.1),)]
    assert rig.metrics.all("commit_healthy") == []
    await rig.settle(20)
    rig.cluster.set_status(ref_to(WEB), AVAILABLE)
    await rig.settle()
    assert rig.metrics.all("commit_healthy") == [(pytest.approx(30.0, abs=1),)]
    rig.cluster.set_status(ref_to(WEB), {})
    await rig.settle()
    rig.cluster.set_status(ref_to(WEB), AVAILABLE)
    await rig.settle()
    assert len(rig.metrics.all("commit_healthy")) == 1
    assert len(rig.metrics.all("commit_applied")) == 1
    rig.push(WEB, A)
    await rig.settle()
    assert len(rig.metrics.all("commit_healthy")) == 2
    assert len(rig.metrics.all("commit_applied")) == 2


async def test_a_restart_measures_nothing_again(rig: Rig) -> None:
    await rig.sail(A)
    assert len(rig.metrics.all("commit_healthy")) == 1
    await rig.restart()
    assert rig.metrics.all("commit_applied") == []
    assert rig.metrics.all("commit_healthy") == []


async def test_health_follows_the_cluster(rig: Rig) -> None:
    await rig.sail(WEB, A)
    assert rig.said("Healthy")[0] == "False"
    assert rig.said() == ("True", "Applied"), "Ready asks for health only where wait is true"
    rig.cluster.set_status(ref_to(WEB), AVAILABLE)
    await rig.settle()
    assert rig.said("Healthy") == ("True", "Current")
    assert rig.office.status(APP)["inventory"]["ready"] == 2


async def test_with_wait_ready_asks_for_health_until_time_is_up(rig: Rig) -> None:
    await rig.sail(WEB, wait=True, timeout="60s")
    assert rig.said() == ("False", "WaitingForHealth")
    assert rig.said("Reconciling") == ("True", "WaitingForHealth")
    await rig.settle(60)
    assert rig.said() == ("False", "Unhealthy")
    rig.cluster.set_status(ref_to(WEB), AVAILABLE)
    await rig.settle()
    assert rig.said() == ("True", "Applied"), "late is better than never"


async def test_status_is_written_once_for_many_changes_of_health(rig: Rig) -> None:
    many = [deployment(f"web-{number}") for number in range(20)]
    await rig.sail(*many)
    writes = len(rig.office.status_writes)
    for body in many:
        rig.cluster.set_status(ref_to(body), AVAILABLE)
    await rig.settle()
    assert len(rig.office.status_writes) == writes + 1
    assert rig.office.status(APP)["inventory"]["ready"] == 20


async def test_a_new_revision_is_announced_before_it_is_applied(rig: Rig) -> None:
    await rig.sail(A)
    rig.objects.delay_seconds = 5
    sha = rig.push(A, B)
    await rig.settle(2)
    assert rig.said() == ("Unknown", "Applying")
    assert rig.office.status(APP)["lastAttemptedRevision"] == f"main@sha1:{sha}"
    assert rig.office.status(APP)["lastAppliedRevision"] != f"main@sha1:{sha}"


async def test_events_tell_what_was_done(rig: Rig) -> None:
    await rig.sail(A, B)
    sha = rig.push(config_map("a", mode="slow"))
    await rig.settle()
    applied = rig.office.told("Applied")
    assert applied[0].endswith(": create 2")
    assert applied[1] == f"main@sha1:{sha}: update 1"
    assert rig.office.told("Pruned") == [f"deleted 1 objects that main@sha1:{sha} does not declare"]


async def test_failures_are_told_as_events_but_not_each_time(rig: Rig) -> None:
    rig.objects.refuse("apply", "ConfigMap/shop/a", ApiError(403, "Forbidden", "quota exceeded"))
    rig.declare(A, B)
    rig.source()
    rig.application(interval="60s")
    rig.start()
    await rig.settle(3000)
    (note,) = rig.office.told("ApplyFailed")
    assert "quota exceeded" in note
    assert "shop/a.yaml:1" in note
    assert rig.office.counted, "repeats raise the count"


async def test_an_orphaned_object_is_told(rig: Rig) -> None:
    kept = config_map("kept", annotations={"trimtab.dev/prune": "disabled"})
    await rig.sail(A, kept)
    sha = rig.push(A)
    await rig.settle()
    assert rig.is_there(kept)
    assert rig.office.told("Pruned") == [f"let go of 1 objects that main@sha1:{sha} does not declare"]


async def test_history_keeps_how_revisions_fared(rig: Rig) -> None:
    await rig.sail(A)
    rig.objects.refuse("apply", "ConfigMap/shop/b", ApiError(403, "Forbidden", "quota exceeded"))
    bad = rig.push(A, B)
    await rig.settle(60)
    good = rig.push(A)
    await rig.settle()
    history = [(item["revision"].removeprefix("main@sha1:"), item["result"]) for item in status_history(rig)]
    assert history[:2] == [(good, "Applied"), (bad, "Failed")]
    assert len(history) == 3


def status_history(rig: Rig) -> list[dict[str, str]]:
    history: list[dict[str, str]] = rig.office.status(APP)["history"]
    return history
