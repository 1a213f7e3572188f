"""Replicas that leave Git, handed over before the apply, and the preconditions that applies and unmarking rely on."""

import pytest
from tests.integration.drift.examples import deployment
from tests.integration.drift.server import MERGE

from trimtab.apply.remedy import wrong_uid
from trimtab.core.api_error import ApiError
from trimtab.core.fields.managed import entries_of, our_paths
from trimtab.core.manifest import Manifest, Origin
from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION
from trimtab.core.refs import ObjectRef
from trimtab.plan.claim import REPLICAS
from trimtab.plan.handover import HANDED_OVER, before_revision
from trimtab.plan.ownership import unmark_patch

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
STRANGER = "11111111-2222-3333-4444-555555555555"


def declared(body):
    return Manifest(ObjectRef.of(body), body["apiVersion"], body, Origin("web.yaml"))


def under_uid(body, uid):
    return {**body, "metadata": {**body["metadata"], "uid": uid}}


def drop_replicas(server, before):
    body = deployment()
    del body["spec"]["replicas"]
    server.claim(body, lambda live: before_revision(live, declared(body), before))
    return server.apply(body)


def test_three_stay_three_and_whoever_scales_owns_them(server):
    before = deployment(replicas=3)
    server.apply(before)
    answer = drop_replicas(server, declared(before))
    assert answer["spec"]["replicas"] == 3
    assert REPLICAS not in our_paths(answer)
    assert [entry.manager for entry in entries_of(answer) if REPLICAS in entry.paths] == [HANDED_OVER]

    server.patch(before, {"spec": {"replicas": 2}}, "kubectl", kind=MERGE, subresource="scale")
    answer = drop_replicas(server, None)
    assert answer["spec"]["replicas"] == 2


def test_replicas_that_come_back_to_git_are_ours_again(server):
    before = deployment(replicas=3)
    server.apply(before)
    drop_replicas(server, declared(before))
    answer = server.apply(deployment(replicas=5))
    assert answer["spec"]["replicas"] == 5
    assert REPLICAS in our_paths(answer)
    assert drop_replicas(server, declared(deployment(replicas=5)))["spec"]["replicas"] == 5


def test_an_apply_under_a_uid_makes_and_changes_no_other_object(server):
    with pytest.raises(ApiError) as absent:
        server.apply(under_uid(CONFIG, STRANGER))
    assert wrong_uid(absent.value)

    live = server.apply(CONFIG)
    with pytest.raises(ApiError) as another:
        server.apply(under_uid({**CONFIG, "data": {"x": "2"}}, STRANGER))
    assert wrong_uid(another.value)
    assert server.get(CONFIG)["data"] == {"x": "1"}

    answer = server.apply(under_uid({**CONFIG, "data": {"x": "2"}}, live["metadata"]["uid"]))
    assert answer["data"] == {"x": "2"}
    assert our_paths(answer) == our_paths(live)


def test_marks_come_off_one_very_object(server):
    metadata = {"name": "a", "labels": {BUCKET_LABEL: "i-1"}, "annotations": {OWNER_ANNOTATION: "a/b/c", "x": "y"}}
    live = server.apply({**CONFIG, "metadata": metadata})
    with pytest.raises(ApiError) as another:
        server.patch(CONFIG, unmark_patch(STRANGER), "trimtab", kind=MERGE)
    assert wrong_uid(another.value)

    answer = server.patch(CONFIG, unmark_patch(live["metadata"]["uid"]), "trimtab", kind=MERGE)
    assert "labels" not in answer["metadata"]
    assert answer["metadata"]["annotations"] == {"x": "y"}
