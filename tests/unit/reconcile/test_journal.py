"""Statuses are written when they changed, Events when there is news."""

from typing import Any

import pytest
from tests.fakes.clock import HandClock
from tests.fakes.office import APP, Office

from trimtab.api.application import RESOURCE, Application, ApplicationStatus
from trimtab.core.errors import Problem
from trimtab.reconcile.journal import Journal
from trimtab.report.events import Happening, Reason, Regarding

PROBLEM = Problem("spec.prune: a valid boolean", reason="InvalidSpec")
EMPTY = ApplicationStatus()
TOLD = ApplicationStatus(last_applied_revision="main@sha1:abc")


class Room:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.office = Office()
        self.journal = Journal(self.office, self.clock, instance="trimtab-test")

    def application(self) -> Application:
        return Application.parse(self.office.bodies[APP])


@pytest.fixture
def room() -> Room:
    room = Room()
    room.office.create(APP, sourceRef={"name": "fleet"}, prune=True)
    return room


async def write(room: Room, shown: ApplicationStatus, status: ApplicationStatus) -> bool:
    return await room.journal.write(RESOURCE, room.application().metadata, shown, status)


async def test_what_stands_there_already_is_not_written(room: Room) -> None:
    assert not await write(room, TOLD, TOLD)
    assert room.office.status_writes == []


async def test_what_was_written_is_not_written_again_though_the_watch_lags(room: Room) -> None:
    assert await write(room, EMPTY, TOLD)
    assert not await write(room, EMPTY, TOLD)
    assert room.office.status(APP) == TOLD.to_body()
    assert room.journal.last(RESOURCE, room.application().metadata, EMPTY) == TOLD


async def test_a_forgotten_or_another_object_of_that_name_starts_anew(room: Room) -> None:
    await write(room, EMPTY, TOLD)
    old = room.application().metadata
    room.office.create(APP, sourceRef={"name": "fleet"}, prune=True)
    assert room.journal.last(RESOURCE, room.application().metadata, EMPTY) == EMPTY
    room.journal.forget(APP)
    assert room.journal.last(RESOURCE, old, EMPTY) == EMPTY


@pytest.mark.parametrize(
    ("status", "revision"),
    [({}, None), ({"lastAppliedRevision": "main@sha1:abc"}, "main@sha1:abc"), ({"observedGeneration": -1}, None)],
)
async def test_an_invalid_object_keeps_what_its_status_told_as_far_as_that_can_be_read(
    room: Room, status: dict[str, Any], revision: str | None
) -> None:
    room.office.bodies[APP]["status"] = status
    body = room.office.bodies[APP]
    await room.journal.invalid(RESOURCE, body, PROBLEM, ApplicationStatus)
    assert room.office.said(APP) == ("False", "InvalidSpec")
    assert room.office.said(APP, "Stalled") == ("True", "InvalidSpec")
    assert room.office.status(APP).get("lastAppliedRevision") == revision
    assert room.office.status(APP)["observedGeneration"] == 1
    await room.journal.invalid(RESOURCE, body, PROBLEM, ApplicationStatus)
    assert len(room.office.status_writes) == 1, "said once"


async def test_after_an_invalid_spec_the_next_status_is_of_its_kind(room: Room) -> None:
    await room.journal.invalid(RESOURCE, room.office.bodies[APP], PROBLEM, ApplicationStatus)
    assert isinstance(room.journal.last(RESOURCE, room.application().metadata, EMPTY), ApplicationStatus)


async def test_news_are_events_and_repeats_are_counted(room: Room) -> None:
    happening = Happening(Regarding.of(RESOURCE, room.application()), Reason.APPLIED, "create 1", "Apply")
    await room.journal.tell(happening)
    await room.journal.tell(happening)
    assert [event["note"] for event in room.office.events] == ["create 1"]
    assert room.office.counted == []
    await room.clock.turn(120)
    await room.journal.tell(happening)
    assert room.office.counted == [room.office.events[0]["metadata"]["name"]]
