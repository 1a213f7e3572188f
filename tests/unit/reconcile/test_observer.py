"""The gate of the watches: which events wake whom, and which are our own doing or old news."""

import pytest
from tests.fakes.cluster import kind_of
from tests.fakes.controller import AVAILABLE, SIGNING_KEY, config_map, deployment
from tests.fakes.sea import OWNER, Sea

from trimtab.core.refs import ObjectRef
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import Synced, Vanished, WatchTrouble

KIND = kind_of(config_map("a"))


@pytest.fixture
def sea() -> Sea:
    return Sea()


# --- events


def test_before_anybody_wants_to_be_woken_nothing_happens() -> None:
    sea = Sea()
    observer = Observer(key=SIGNING_KEY, clock=sea.clock)
    body = sea.applied(config_map("a"))
    observer.saw(ObjectRef.of(body), body)
    sighting = observer.sighting(ObjectRef.of(body))
    assert sighting is not None
    assert sighting.owner == str(OWNER)


def test_an_object_as_expected_wakes_for_its_health_only(sea: Sea) -> None:
    answer = sea.applied(config_map("a"))
    sea.expect(answer)
    sea.see(answer)
    assert sea.woken == [None]


def test_an_edit_wakes_for_the_object_and_keeps_its_body_and_time(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.see(sea.edit(ref))
    assert sea.woken == [ref]
    sighting = sea.observer.sighting(ref)
    assert sighting is not None
    assert sighting.body is not None
    assert sighting.changed_at == sea.clock.now()


async def test_the_time_of_the_first_difference_stays(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.see(sea.edit(ref))
    first = sea.clock.now()
    await sea.clock.turn(5)
    sea.see(sea.edit(ref, value="slower"))
    sighting = sea.observer.sighting(ref)
    assert sighting is not None
    assert sighting.changed_at == first


def test_memory_holds_no_body_of_what_is_at_rest(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.see(sea.edit(ref))
    back = sea.applied(config_map("a"))
    sea.expect(back)
    sea.see(back)
    sighting = sea.observer.sighting(ref)
    assert sighting is not None
    assert (sighting.body, sighting.changed_at) == (None, 0.0)


def test_a_change_of_nobodys_business_wakes_nobody(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.see(sea.edit(ref, "data.other", "x"))
    sea.see(sea.edit(ref, "metadata.labels.team", "blue"))
    assert sea.woken == []


def test_health_wakes_when_it_changed_and_not_before(sea: Sea) -> None:
    ref = sea.at_rest(deployment("web"))
    sea.cluster.set_status(ref, AVAILABLE)
    sea.see(sea.body(ref))
    assert sea.woken == [None]
    sea.woken.clear()
    sea.cluster.set_status(ref, {**AVAILABLE, "collisionCount": 0})
    sea.see(sea.body(ref))
    assert sea.woken == []


def test_older_events_are_dropped(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    old = sea.edit(ref)
    new = sea.edit(ref, value="slower")
    sea.see(new)
    sea.woken.clear()
    sea.see(old)
    sighting = sea.observer.sighting(ref)
    assert sighting is not None
    assert sighting.body == new
    assert sea.woken == []


def test_an_object_made_anew_differs_though_its_content_is_the_same(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.cluster.other_deletes(ref)
    sea.see(sea.applied(config_map("a")))
    assert sea.woken == [ref]


def test_a_value_put_back_by_hand_wakes_too_so_that_shown_drift_ends(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    before = sea.body(ref)
    sea.see(sea.edit(ref))
    sea.woken.clear()
    before["metadata"]["resourceVersion"] = "1000"
    sea.see(before)
    assert sea.woken == [ref]


def test_an_object_that_nobody_here_expects_tells_its_owner_once(sea: Sea) -> None:
    answer = sea.applied(config_map("a"))
    sea.see(answer)
    assert sea.woken == [None]
    sea.see(sea.edit(ObjectRef.of(answer)))
    assert sea.woken == [None]


def test_an_object_to_be_kept_says_so(sea: Sea) -> None:
    answer = sea.applied(config_map("a", annotations={"trimtab.dev/prune": "disabled"}))
    sea.see(answer)
    sighting = sea.observer.sighting(ObjectRef.of(answer))
    assert sighting is not None
    assert sighting.keep


# --- doubt


def test_deleted_means_doubt_and_not_absence(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.sink(Vanished(KIND, sea.body(ref)))
    assert sea.woken == [ref]
    assert sea.observer.sighting(ref) is None
    assert sea.observer.doubt(ref) == "the watch lost sight of it"


def test_a_doubt_about_what_is_nobodys_wakes_nobody(sea: Sea) -> None:
    body = sea.applied(config_map("a"))
    sea.observer.sink(Vanished(KIND, body))
    assert sea.woken == []


def test_an_answer_settles_the_doubt(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.sink(Vanished(KIND, sea.body(ref)))
    sea.observer.settle_absent(ref)
    assert sea.observer.doubt(ref) is None
    assert sea.observer.sighting(ref) is None


def test_a_relabelled_object_is_trusted_again_and_looked_at(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.sink(Vanished(KIND, sea.body(ref)))
    sea.woken.clear()
    body = sea.body(ref)
    body["metadata"]["resourceVersion"] = "1000"
    sea.see(body)
    assert sea.woken == [ref]
    assert sea.observer.doubt(ref) is None


def test_the_state_that_was_known_already_settles_a_doubt_too(sea: Sea) -> None:
    """A label stripped and put back before the GET: its answer may be no newer than what was seen."""
    ref = sea.at_rest(config_map("a"))
    body = sea.body(ref)
    sea.observer.sink(Vanished(KIND, body))
    sea.observer.saw(ref, body)
    assert sea.observer.doubt(ref) is None
    assert sea.observer.sighting(ref) is not None


def test_a_list_that_does_not_show_an_object_puts_it_in_doubt(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    other = sea.at_rest(config_map("b"))
    web = sea.at_rest(deployment("web"))
    sea.observer.sink(Synced(KIND, frozenset({other})))
    assert sea.woken == [ref]
    assert sea.observer.doubt(ref) == "the watch's list does not show it"
    assert sea.observer.doubt(other) is None
    assert sea.observer.doubt(web) is None, "another type's list says nothing of it"


# --- our own doing


def test_events_of_our_own_apply_wake_nobody(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.hold(ref)
    answer = sea.applied(config_map("a", mode="middle"))
    sea.see(answer)
    assert sea.woken == [], "held until the answer is known"
    sea.observer.release(ref, answer)
    assert sea.woken == []
    sighting = sea.observer.sighting(ref)
    assert sighting is not None
    assert sighting.resource_version == answer["metadata"]["resourceVersion"]


def test_an_edit_right_after_our_apply_is_not_lost(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.hold(ref)
    answer = sea.applied(config_map("a", mode="middle"))
    sea.see(answer)
    sea.see(sea.edit(ref))
    sea.observer.release(ref, answer)
    assert sea.woken == [ref]


def test_events_at_or_below_the_answer_are_dropped_later_too(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    between = sea.edit(ref)
    sea.observer.hold(ref)
    answer = sea.applied(config_map("a", mode="middle"))
    sea.observer.release(ref, answer)
    sea.see(between)
    sea.see(answer)
    assert sea.woken == []


def test_an_apply_without_an_answer_lets_the_held_event_speak(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.hold(ref)
    sea.see(sea.edit(ref))
    sea.observer.release(ref, None)
    assert sea.woken == [ref]


def test_two_applies_of_one_object_hold_until_the_second_ends(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.hold(ref)
    sea.observer.hold(ref)
    first = sea.applied(config_map("a", mode="middle"))
    sea.observer.release(ref, first)
    sea.see(sea.edit(ref))
    assert sea.woken == []
    sea.observer.release(ref, None)
    assert sea.woken == [ref]


def test_a_deletion_that_our_apply_outran_is_old_news(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    deleted = sea.body(ref)
    sea.cluster.other_deletes(ref)
    sea.observer.hold(ref)
    sea.observer.sink(Vanished(KIND, deleted))
    answer = sea.applied(config_map("a"))
    sea.observer.release(ref, answer)
    assert sea.observer.doubt(ref) is None


def test_a_deletion_after_our_apply_is_news(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.hold(ref)
    answer = sea.applied(config_map("a", mode="middle"))
    deleted = {**answer, "metadata": {**answer["metadata"], "resourceVersion": "1000"}}
    sea.observer.sink(Vanished(KIND, deleted))
    sea.observer.release(ref, answer)
    assert sea.observer.doubt(ref) is not None


def test_a_list_shown_during_an_apply_puts_its_object_in_no_doubt(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.hold(ref)
    sea.observer.sink(Synced(KIND, frozenset()))
    assert sea.observer.doubt(ref) is None
    sea.observer.release(ref, None)


def test_the_answer_becomes_what_is_expected(sea: Sea) -> None:
    ref = ObjectRef.of(config_map("a"))
    sea.observer.expect(ref, str(OWNER), None)
    sea.observer.hold(ref)
    answer = sea.applied(config_map("a"))
    sea.observer.release(ref, answer)
    sea.woken.clear()
    sea.see(sea.edit(ref))
    assert sea.woken == [ref]


def test_what_is_forgotten_is_nobodys(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.observer.forget(ref)
    assert sea.observer.sighting(ref) is None
    sea.observer.sink(Synced(KIND, frozenset()))
    assert sea.woken == []


# --- seen before it was expected


def test_what_was_seen_before_it_was_expected_is_unexplained(sea: Sea) -> None:
    """After a restart the watch may be faster than the inventory: the body is not at hand any more."""
    answer = sea.applied(config_map("a"))
    edited = sea.edit(ObjectRef.of(answer))
    sea.see(edited)
    sea.expect(answer)
    ref = ObjectRef.of(answer)
    assert sea.observer.unexplained(ref)
    sea.observer.saw(ref, edited)
    assert not sea.observer.unexplained(ref), "the same state, read again, brings the body"
    sighting = sea.observer.sighting(ref)
    assert sighting is not None
    assert sighting.body == edited


def test_what_is_as_expected_is_explained(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    assert not sea.observer.unexplained(ref)
    assert not sea.observer.unexplained(ObjectRef.of(config_map("never seen")))


# --- lists


@pytest.mark.looptime
async def test_waiting_ends_with_the_list_with_trouble_or_with_time(sea: Sea) -> None:
    assert not await sea.observer.wait_synced([KIND], timeout_seconds=5)
    sea.observer.sink(WatchTrouble(KIND, "forbidden"))
    assert await sea.observer.wait_synced([KIND], timeout_seconds=5)
    assert sea.observer.trouble(KIND) == "forbidden"
    sea.observer.sink(Synced(KIND, frozenset()))
    assert sea.observer.trouble(KIND) is None
    assert await sea.observer.wait_synced([KIND], timeout_seconds=5)


@pytest.mark.looptime
async def test_a_type_watched_anew_is_waited_for_anew(sea: Sea) -> None:
    sea.observer.sink(WatchTrouble(KIND, "forbidden"))
    sea.observer.unwatched([KIND])
    assert sea.observer.trouble(KIND) is None
    assert not await sea.observer.wait_synced([KIND], timeout_seconds=5)


def test_trouble_of_a_watch_and_its_end_have_owners_tell(sea: Sea) -> None:
    ref = sea.at_rest(config_map("a"))
    sea.woken.clear()
    sea.observer.sink(WatchTrouble(KIND, "forbidden"))
    assert sea.woken == [None]
    assert sea.observer.blind_to([KIND]) == f"{KIND.plural}: forbidden"
    sea.observer.sink(Synced(KIND, frozenset([ref])))
    assert sea.woken == [None, None]
    assert sea.observer.blind_to([KIND]) == ""
    sea.observer.sink(Synced(KIND, frozenset([ref])))
    assert sea.woken == [None, None], "a list after none is no news"
