"""kopf's events reach the desk as they came, and kopf itself does nothing."""

from collections.abc import Callable
from typing import Any

import kopf
import pytest
from tests.fakes.clock import HandClock

from trimtab.core.names import API_GROUP, GROUP_VERSION
from trimtab.handlers.own_kinds import KINDS, operator_settings, register
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.queue import Key, WorkQueue

APP = Key("Application", "trimtab-system", "shop")
BODY = {
    "apiVersion": GROUP_VERSION,
    "kind": "Application",
    "metadata": {"name": APP.name, "namespace": APP.namespace, "uid": "u-1", "generation": 1},
    "spec": {"sourceRef": {"name": "fleet"}, "prune": True},
}


class Kopf:
    """A registry with our handlers, and a desk behind a `deliver` that a test can hold back."""

    def __init__(self) -> None:
        self.registry = kopf.OperatorRegistry()
        self.desk = Desk(WorkQueue(HandClock()))
        self.delivered: list[tuple[Callable[..., None], dict[str, Any]]] = []
        register(self.registry, self.desk, lambda call, body: self.delivered.append((call, body)))

    @property
    def handlers(self) -> list[Any]:
        return list(self.registry._watching.get_all_handlers())

    async def event(self, kind: str, body: dict[str, Any]) -> None:
        for handler in self.handlers:
            if handler.selector.any_name == "applications":
                await handler.fn(event={"type": kind, "object": body}, logger=None, patch={}, unknown="ignored")

    def deliver(self) -> None:
        for call, body in self.delivered:
            call(body)
        self.delivered.clear()


@pytest.fixture
def kopf_side() -> Kopf:
    return Kopf()


def test_each_kind_has_one_event_handler_and_nothing_else_of_kopf_is_used(kopf_side: Kopf) -> None:
    selected = {(each.selector.group, each.selector.version, each.selector.any_name) for each in kopf_side.handlers}
    assert selected == {(API_GROUP, kind.version, kind.plural) for kind in KINDS}
    assert len(kopf_side.handlers) == len(KINDS)
    registry = kopf_side.registry
    others = (registry._changing, registry._spawning, registry._indexing, registry._webhooks, registry._activities)
    assert [list(each.get_all_handlers()) for each in others] == [[]] * len(others)


@pytest.mark.parametrize("kind", [None, "ADDED", "MODIFIED"])
async def test_what_is_listed_added_or_changed_is_shown(kopf_side: Kopf, kind: Any) -> None:
    await kopf_side.event(kind, BODY)
    assert kopf_side.desk.application(APP) is None, "nothing happens in kopf's thread"
    kopf_side.deliver()
    assert kopf_side.desk.application(APP) is not None


async def test_what_is_deleted_is_gone(kopf_side: Kopf) -> None:
    await kopf_side.event("ADDED", BODY)
    await kopf_side.event("DELETED", BODY)
    kopf_side.deliver()
    assert kopf_side.desk.application(APP) is None


async def test_the_body_is_a_copy_that_kopf_cannot_change_later(kopf_side: Kopf) -> None:
    body = dict(BODY)
    await kopf_side.event("ADDED", body)
    body["kind"] = "Changed"
    kopf_side.deliver()
    assert kopf_side.desk.application(APP) is not None


def test_kopf_posts_no_events_and_scans_nothing() -> None:
    settings = operator_settings(idle_seconds=100)
    assert not settings.posting.enabled
    assert settings.scanning.disabled
    assert settings.watching.inactivity_timeout is not None
    assert settings.watching.inactivity_timeout <= 100
