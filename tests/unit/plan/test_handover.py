"""Dropping replicas and fields that others took meanwhile."""

from tests.fakes.api_server import ApiServer, foreign_edit
from tests.fakes.plan_objects import manifest

from trimtab.core.fields.managed import entries_of, our_paths
from trimtab.core.fields.path import fields
from trimtab.plan.claim import REPLICAS
from trimtab.plan.handover import HANDED_OVER, before_revision, hand_over_replicas

WITH = manifest("Deployment", "web", spec={"replicas": 3, "image": "v1"})
WITHOUT = manifest("Deployment", "web", spec={"image": "v2"})


def server_with_deployment() -> ApiServer:
    server = ApiServer()
    server.other_applies(manifest("Namespace", "shop").body)
    server.apply(WITH.body)
    return server


def claim(server: ApiServer, managed_fields):
    live = server.objects[WITH.ref]
    return server.claim(WITH.ref, managed_fields, live["metadata"]["resourceVersion"])


def test_replicas_that_are_declared_no_more_keep_their_number():
    server = server_with_deployment()
    claim(server, before_revision(server.objects[WITH.ref], WITHOUT, WITH))
    server.apply(WITHOUT.body)
    assert server.objects[WITH.ref]["spec"] == {"replicas": 3, "image": "v2"}
    assert REPLICAS not in our_paths(server.objects[WITH.ref])


def test_they_go_to_the_same_keeper_again():
    server = server_with_deployment()
    claim(server, hand_over_replicas(server.objects[WITH.ref], WITHOUT.body))
    server.apply(WITHOUT.body)
    server.apply(manifest("Deployment", "web", spec={"replicas": 5, "image": "v2"}).body)
    live = server.objects[WITH.ref]
    foreign_edit(live, fields("spec", "image"), "v3", manager=HANDED_OVER)
    managed_fields = hand_over_replicas(live, WITHOUT.body)
    assert managed_fields is not None
    keepers = [entry for entry in managed_fields if entry["manager"] == HANDED_OVER]
    assert keepers[0]["fieldsV1"] == {"f:spec": {"f:image": {}, "f:replicas": {}}}
    assert len(keepers) == 1


def test_nothing_is_handed_over_where_it_need_not_be():
    server = server_with_deployment()
    live = server.objects[WITH.ref]
    assert hand_over_replicas(live, WITH.body) is None
    server.other_applies(manifest("Deployment", "web", spec={"replicas": 3}).body)
    assert hand_over_replicas(server.objects[WITH.ref], WITHOUT.body) is None
    assert hand_over_replicas({"metadata": {}}, WITHOUT.body) is None
    assert before_revision(server.objects[WITH.ref], WITHOUT, None) is None


def test_a_dropped_field_that_somebody_else_took_is_removed_and_replicas_stay():
    before = manifest("Deployment", "web", spec={"replicas": 3, "mode": {"old": 1, "other": 1}})
    after = manifest("Deployment", "web", spec={"mode": {"other": 1}})
    server = server_with_deployment()
    server.apply(before.body)
    foreign_edit(server.objects[WITH.ref], fields("spec", "mode", "old"), 2)
    claim(server, before_revision(server.objects[WITH.ref], after, before))
    server.apply(after.body)
    assert server.objects[WITH.ref]["spec"] == {"replicas": 3, "mode": {"other": 1}}
    assert HANDED_OVER in {entry.manager for entry in entries_of(server.objects[WITH.ref])}
