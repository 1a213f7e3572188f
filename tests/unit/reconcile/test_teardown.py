"""The end of an Application: what becomes of its objects, and that it never hangs."""

import pytest
from tests.fakes.controller import Rig, config_map, namespace
from tests.fakes.office import APP, NAMESPACE

from trimtab.core.api_error import ApiError
from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef

pytestmark = pytest.mark.looptime

A, B = config_map("a"), config_map("b")
OURS = ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", NAMESPACE)
DEFINITION = ObjectRef(
    LOCAL_CLUSTER, "apiextensions.k8s.io", "CustomResourceDefinition", "", "applications.trimtab.dev"
)


async def test_deletion_prunes_and_releases(rig: Rig) -> None:
    await rig.sail(A, B)
    uid = rig.office.bodies[APP]["metadata"]["uid"]
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert not rig.is_there(A)
    assert not rig.is_there(B)
    assert rig.store.released == [uid]
    assert rig.store.entries == {}
    assert rig.metrics.all("forget_application") == [("trimtab-system", "shop")]
    assert rig.watches.wanted == frozenset()


async def test_orphaned_objects_stay_without_our_marks(rig: Rig) -> None:
    await rig.sail(A, deletionPolicy="Orphan")
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    metadata = rig.live(A)["metadata"]
    assert BUCKET_LABEL not in metadata["labels"]
    assert OWNER_ANNOTATION not in metadata["annotations"]


async def test_prune_off_keeps_nothing_from_deletion(rig: Rig) -> None:
    """Deleting an Application is its own confirmation; deletionPolicy says what becomes of the objects."""
    await rig.sail(A, prune=False)
    rig.office.delete(APP)
    await rig.settle()
    assert not rig.is_there(A)


async def test_objects_held_by_finalizers_of_others_do_not_hold_the_application(rig: Rig) -> None:
    await rig.sail(A, timeout="30s")
    rig.cluster.hold(ObjectRef.of(A))
    rig.office.delete(APP)
    await rig.settle(5)
    assert APP in rig.office.bodies
    assert rig.said() == ("Unknown", "Deleting")
    await rig.settle(60)
    assert APP not in rig.office.bodies
    assert rig.live(A)["metadata"]["deletionTimestamp"]


async def test_what_cannot_be_deleted_holds_it_and_says_why(rig: Rig) -> None:
    await rig.sail(A, B)
    rig.objects.refuse("delete", "ConfigMap/shop/a", ApiError(403, "Forbidden", "a policy forbids it"), times=2)
    rig.office.delete(APP)
    await rig.settle(0.5)
    assert APP in rig.office.bodies
    assert "a policy forbids it" in rig.message()
    assert not rig.is_there(B)
    await rig.settle(120)
    assert APP not in rig.office.bodies
    assert not rig.is_there(A)


async def test_a_suspended_application_can_be_deleted(rig: Rig) -> None:
    await rig.sail(A)
    rig.office.change(APP, suspend=True)
    await rig.settle()
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert not rig.is_there(A)


async def test_a_terminating_namespace_of_ours_asks_for_no_prune(rig: Rig) -> None:
    await rig.sail(A)
    rig.cluster.objects[OURS]["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z"
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert rig.is_there(A)


async def test_a_deleted_definition_of_ours_asks_for_no_prune(rig: Rig) -> None:
    await rig.sail(A)
    rig.cluster.objects[DEFINITION]["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z"
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert rig.is_there(A)


async def test_a_namespace_that_is_gone_already_asks_for_no_prune(rig: Rig) -> None:
    await rig.sail(A)
    del rig.cluster.objects[OURS]
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert rig.is_there(A)


async def test_deletion_after_a_restart_needs_neither_source_nor_watches(rig: Rig) -> None:
    await rig.sail(A, B)
    await rig.stop()
    rig.office.delete(APP)
    rig.git.lose_mirrors()
    rig.start()
    await rig.settle()
    assert APP not in rig.office.bodies
    assert not rig.is_there(A)


async def test_an_application_deleted_before_its_first_turn_goes_at_once(rig: Rig) -> None:
    rig.declare(A)
    rig.application()
    rig.office.bodies[APP]["metadata"]["finalizers"] = ["example.org/other"]
    rig.office.bodies[APP]["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z"
    rig.start()
    await rig.settle()
    assert rig.objects.requests == []
    assert rig.office.bodies[APP]["metadata"]["finalizers"] == ["example.org/other"]


async def test_an_application_removed_by_force_leaves_its_objects_and_no_inventory(rig: Rig) -> None:
    await rig.sail(A)
    uid = rig.office.bodies[APP]["metadata"]["uid"]
    rig.office.force_away(APP)
    await rig.settle()
    assert rig.is_there(A)
    assert rig.store.released == [uid]
    rig.edit(A, "data.mode", "slow")
    await rig.settle()
    assert rig.live(A)["data"] == {"mode": "slow"}, "nobody heals what is nobody's"


async def test_deletion_of_what_others_deleted_or_made_anew(rig: Rig) -> None:
    await rig.sail(A, B)
    await rig.stop()
    rig.cluster.other_deletes(ObjectRef.of(A))
    rig.cluster.other_deletes(ObjectRef.of(B))
    rig.cluster.other_applies(B)
    rig.start()
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert rig.is_there(B), "another object of that name is not ours"


async def test_a_new_namespace_of_its_own_goes_with_what_is_in_it(rig: Rig) -> None:
    inside = config_map("a")
    inside["metadata"]["namespace"] = "fresh"
    await rig.sail(namespace("fresh"), inside)
    assert rig.is_there(inside)
    rig.office.delete(APP)
    await rig.settle()
    assert APP not in rig.office.bodies
    assert not rig.is_there(inside)
    assert not rig.is_there(namespace("fresh"))


async def test_a_turn_after_the_release_writes_no_inventory_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The news of the end are on their way, and an object still goes: it is no lost inventory's."""
    await rig.sail(A)
    rig.cluster.hold(ObjectRef.of(A))
    monkeypatch.setattr(rig.desk, "gone", lambda _body: None)
    rig.office.delete(APP)
    await rig.settle(400)
    assert APP not in rig.office.bodies
    assert len(rig.store.released) == 1
    rig.queue.add(APP)
    await rig.settle()
    assert rig.store.entries == {}
    assert len(rig.store.released) == 1


async def test_the_inventory_of_a_predecessor_that_went_unseen_is_cleared_up(rig: Rig) -> None:
    await rig.sail(A)
    shard = {
        "apiVersion": "trimtab.dev/v1alpha1",
        "kind": "Inventory",
        "metadata": {"name": "shop-0", "namespace": NAMESPACE, "uid": "i"},
        "spec": {"application": {"name": "shop", "uid": "predecessor"}},
    }
    rig.desk.shown(shard)
    await rig.settle(6)
    assert rig.store.released == ["predecessor"]
    assert rig.is_there(A)
