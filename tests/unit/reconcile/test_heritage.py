"""What an Application owns already: read once, found again when lost, and never guessed."""

import pytest
from tests.fakes.controller import Rig, config_map, deployment
from tests.fakes.office import APP

from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Applied

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")


def uid(rig: Rig) -> str:
    return str(rig.office.bodies[APP]["metadata"]["uid"])


async def test_it_is_read_once_in_a_process(rig: Rig) -> None:
    await rig.sail(A)
    rig.push(A, B)
    await rig.settle()
    assert rig.store.loads == 1
    await rig.restart()
    assert rig.store.loads == 2


async def test_entries_tell_what_was_applied(rig: Rig) -> None:
    await rig.sail(A)
    (entry,) = rig.store.entries[uid(rig)].values()
    assert isinstance(entry, Applied)
    assert entry.uid == rig.live(A)["metadata"]["uid"]
    assert entry.version == "v1"


async def test_a_lost_inventory_is_found_again_by_the_marks(rig: Rig) -> None:
    await rig.sail(A, B)
    await rig.stop()
    rig.store.lost.add(uid(rig))
    rig.start()
    await rig.settle()
    assert len(rig.rebuilder.rebuilt) == 1
    assert len(rig.store.entries[uid(rig)]) == 2
    rig.push(A)
    await rig.settle()
    assert not rig.is_there(B), "what was found again is pruned like before"


async def test_an_empty_inventory_where_the_status_counts_objects_is_a_lost_one(rig: Rig) -> None:
    await rig.sail(A, B)
    await rig.stop()
    rig.store.entries.clear()
    rig.start()
    await rig.settle()
    assert len(rig.rebuilder.rebuilt) == 1
    assert len(rig.store.entries[uid(rig)]) == 2


async def test_an_empty_inventory_of_a_new_application_is_just_empty(rig: Rig) -> None:
    await rig.sail(A)
    assert rig.rebuilder.rebuilt == []


async def test_what_carries_our_marks_but_is_not_known_is_pruned_by_nobody(rig: Rig) -> None:
    await rig.sail(A)
    copied = rig.live(A)
    stranger = config_map("copied")
    stranger["metadata"] |= {key: copied["metadata"][key] for key in ("labels", "annotations")}
    rig.cluster.other_applies(stranger)
    await rig.settle()
    rig.push(A)
    await rig.settle()
    assert rig.is_there(stranger)
    assert rig.office.status(APP)["inventory"]["objects"] == 1


async def test_nothing_is_applied_while_the_inventory_cannot_be_written(rig: Rig) -> None:
    rig.store.trouble = ApiError(503, "ServiceUnavailable", "etcd is slow")
    rig.declare(A)
    rig.source()
    rig.application()
    rig.start()
    await rig.settle(60)
    assert not rig.is_there(A)
    assert rig.said()[0] == "False"
    assert "the inventory could not be written" in rig.message()
    rig.store.trouble = None
    await rig.settle(120)
    assert rig.is_there(A)
    assert rig.said() == ("True", "Applied")


async def test_the_first_entry_is_written_before_the_object(rig: Rig) -> None:
    known: list[bool] = []
    rig.cluster.listeners.append(
        lambda body, there: known.append(body["metadata"]["name"] in {ref.name for ref in rig.store.entries[uid(rig)]})
    )
    await rig.sail(A, B)
    assert known
    assert all(known)


async def test_types_of_owned_objects_are_watched_after_a_restart_whatever_git_says(rig: Rig) -> None:
    await rig.sail(A, deployment("web"), prune=False)
    rig.push(A)
    await rig.settle()
    await rig.restart()
    assert {kind.kind for kind in rig.watches.wanted} == {"ConfigMap", "Deployment"}
