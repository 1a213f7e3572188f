import copy

from tests.unit.drift.objects import deployment, entry, owned, taken

from trimtab.core.fields.path import field, fields, keyed, valued
from trimtab.plan.claim import REPLICAS
from trimtab.plan.live_value import with_live_values

IMAGE = (*fields("spec", "template", "spec", "containers"), keyed({"name": "web"}), field("image"))


def without_replicas():
    body = deployment()
    del body["spec"]["replicas"]
    return body


def scaled(live, replicas=7):
    changed = taken(live, frozenset({REPLICAS}), entry("kubectl", frozenset({REPLICAS}), subresource="scale"))
    changed["spec"]["replicas"] = replicas
    return changed


def test_dropped_replicas_are_sent_with_their_live_value_while_they_are_ours():
    body = without_replicas()
    before = copy.deepcopy(body)
    assert with_live_values(body, owned(deployment()))["spec"]["replicas"] == 3
    assert body == before


def test_they_are_left_out_once_another_manager_owns_them():
    live = owned(deployment(), entry("kubectl", frozenset({REPLICAS}), subresource="scale"))
    assert with_live_values(without_replicas(), live) == without_replicas()
    assert with_live_values(without_replicas(), scaled(owned(deployment()))) == without_replicas()


def test_declared_replicas_and_those_that_nobody_declared_are_left_alone():
    assert with_live_values(deployment(), scaled(owned(deployment()))) == deployment()
    live = owned(without_replicas())
    live["spec"]["replicas"] = 1
    assert with_live_values(without_replicas(), live) == without_replicas()


def test_a_new_object_is_sent_as_it_is():
    body = without_replicas()
    assert with_live_values(body, {}) == body
    assert with_live_values(deployment(), {}, ignored=[REPLICAS]) == deployment()


def test_ignored_paths_follow_the_live_object():
    live = owned(deployment())
    live["spec"]["replicas"] = 5
    assert with_live_values(deployment(), live, ignored=[REPLICAS])["spec"]["replicas"] == 5
    assert "replicas" not in with_live_values(deployment(), scaled(live), ignored=[REPLICAS])["spec"]


def test_ignored_paths_lead_through_declared_items():
    live = owned(deployment())
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    body = with_live_values(deployment(), live, ignored=[IMAGE])
    assert body["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"
    theirs = taken(live, frozenset({IMAGE}), entry("updater", frozenset({IMAGE})))
    body = with_live_values(deployment(), theirs, ignored=[IMAGE])
    assert "image" not in body["spec"]["template"]["spec"]["containers"][0]


def test_paths_that_the_manifest_has_no_way_to_change_nothing():
    live = owned(deployment())
    live["metadata"]["finalizers"] = ["f"]
    live = taken(live, frozenset(), entry("x", frozenset({IMAGE, (*fields("metadata", "finalizers"), valued("f"))})))
    small = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": 1}}
    ignored = [IMAGE, (*fields("metadata", "finalizers"), valued("f")), fields("metadata", "name", "x")]
    assert with_live_values(small, live, ignored=ignored) == {**small, "spec": {"template": 1, "replicas": 3}}
    bare = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    ours = owned(deployment())
    assert with_live_values(bare, ours, ignored=[IMAGE]) == {**bare, "spec": {"replicas": 3}}
