import copy
from typing import Any

import pytest
from tests.unit.drift.objects import deployment, entry, owned, secret, taken

from trimtab.core.fields.managed import APPLY, our_paths, written
from trimtab.core.fields.path import MISSING, field, fields, keyed, text_of
from trimtab.core.names import FIELD_MANAGER
from trimtab.drift.actor import UNKNOWN
from trimtab.drift.compare import FieldDrift, differences, differences_from_manifest, gone
from trimtab.drift.presentable import LIMIT_CHARACTERS, MASK, Excerpt

ANSWER = owned(deployment())
WEB = (*fields("spec", "template", "spec", "containers"), keyed({"name": "web"}))
MODE = (*WEB, field("env"), keyed({"name": "MODE"}))


def live_with(change):
    live = copy.deepcopy(ANSWER)
    change(live, live["spec"]["template"]["spec"]["containers"][0])
    return live


def by_path(live):
    return {drift.path_text: (drift.declared, drift.live, drift.actor) for drift in differences(ANSWER, live)}


def test_an_object_as_declared_does_not_differ():
    assert differences(ANSWER, copy.deepcopy(ANSWER)) == ()


def test_a_scalar_differs_by_the_manager_that_holds_it():
    path = fields("spec", "replicas")
    live = taken(live_with(lambda live, _: live["spec"].update(replicas=5)), frozenset({path}))
    live = taken(live, frozenset(), entry("kubectl", frozenset({path}), subresource="scale", time=""))
    assert by_path(live) == {"spec.replicas": (3, 5, "kubectl")}


def test_what_others_add_is_no_difference():
    def add(live, container):
        live["metadata"]["labels"]["foreign"] = "1"
        live["status"] = {"replicas": 1}
        container["env"].append({"name": "FOREIGN"})
        container["ports"].insert(0, {"containerPort": 81, "protocol": "TCP"})

    assert by_path(live_with(add)) == {}


def test_a_removed_item_is_one_finding_by_nobody():
    live = taken(live_with(lambda _, container: container.update(env=[])), frozenset({MODE}))
    path = "spec.template.spec.containers[name=web].env[name=MODE]"
    assert by_path(live) == {path: ({"name": "MODE", "value": "fast"}, MISSING, UNKNOWN)}


def test_a_removed_container_is_one_finding():
    live = live_with(lambda live, _: live["spec"]["template"]["spec"].update(containers=[]))
    assert list(by_path(live)) == ["spec.template.spec.containers[name=web]"]


def test_a_removed_label_names_nobody():
    live = live_with(lambda live, _: live["metadata"].update(labels={}))
    assert by_path(live) == {"metadata.labels.tier": ("front", MISSING, UNKNOWN)}


def test_a_list_that_is_one_value_is_compared_in_order():
    live = live_with(lambda _, container: container.update(args=["80", "--port"]))
    path = "spec.template.spec.containers[name=web].args"
    assert by_path(live) == {path: (["--port", "80"], ["80", "--port"], UNKNOWN)}


def test_null_equals_absent():
    answer = copy.deepcopy(ANSWER)
    answer["spec"]["replicas"] = None
    live = copy.deepcopy(ANSWER)
    del live["spec"]["replicas"]
    assert differences(answer, live) == ()


def test_only_the_paths_asked_for_are_compared():
    live = live_with(lambda live, container: (live["spec"].update(replicas=5), container.update(image="web:2")))
    found = differences(ANSWER, live, paths=frozenset({fields("spec", "replicas")}))
    assert found == (FieldDrift("spec.replicas", 3, 5),)


def test_a_deleted_object_is_one_finding():
    assert gone(deployment()) == FieldDrift("", "Deployment present", MISSING, UNKNOWN)


@pytest.mark.parametrize("masked", [True, False])
def test_values_of_secrets_are_masked_unless_asked_for(masked):
    body = secret(a="b2xk", b="eA==")
    body["metadata"]["labels"] = {"tier": "front"}
    body["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"a":"b2xk"}}'}
    answer, live = owned(body), owned(body)
    live["data"] = {"a": "bmV3"}
    live["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"a":"bmV3"}}'}
    live["metadata"]["labels"] = {"tier": "back"}
    found = {drift.path_text: (drift.declared, drift.live) for drift in differences(answer, live, masked=masked)}
    assert found["metadata.labels.tier"] == ("front", "back")
    assert found["data.a"] == ((MASK, MASK) if masked else ("b2xk", "bmV3"))
    assert found["data.b"] == ((MASK, MISSING) if masked else ("eA==", MISSING))
    assert ("bmV3" in str(found)) is not masked


def test_long_values_are_cut_around_the_difference():
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "x" * 5000 + "1" * 900}}
    live = owned(body)
    live["data"] = {"a": "x" * 5000 + "2" * 900}
    (drift,) = differences(owned(body), live)
    assert drift.declared.startswith("…xxx")
    assert drift.declared.endswith("1…")
    assert drift.live.endswith("2…")
    assert len(drift.live) <= LIMIT_CHARACTERS + 2
    live["data"] = {}
    (drift,) = differences(owned(body), live)
    assert (drift.declared, drift.live) == ("x" * LIMIT_CHARACTERS + "…", MISSING)
    live["data"] = {"a": "x" * 5000}
    (drift,) = differences(owned(body), live)
    assert drift.live == "…" + "x" * 32


def test_long_values_that_are_no_strings_are_excerpts_of_json():
    def edit(_live, container):
        container["args"] = ["--port"]

    answer = copy.deepcopy(ANSWER)
    answer["spec"]["template"]["spec"]["containers"][0]["args"] = ["--port", "x" * 500]
    (drift,) = differences(answer, live_with(edit))
    assert isinstance(drift.declared, Excerpt)
    assert isinstance(drift.live, Excerpt)
    assert drift.live == '["--port"]'
    assert drift.declared.startswith('["--port","xxx')


def test_without_an_answer_the_manifest_is_compared():
    body = deployment()
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"] = {"cpu": "1000m", "memory": "0.5Gi"}
    container["tty"] = False
    container["ports"] = [{"containerPort": 80}]
    reference = {"fieldRef": {"fieldPath": "metadata.name"}}

    def edit(live, container):
        container["env"] = [{"name": "MODE", "valueFrom": reference}]
        container["ports"] = [{"containerPort": 8080, "protocol": "TCP"}]
        live["spec"]["replicas"] = 5

    live = taken(live_with(edit), our_paths(ANSWER), entry("kubectl-edit", frozenset({fields("spec", "replicas")})))
    found = differences_from_manifest(body, live)
    assert [(drift.path_text, drift.declared, drift.live, drift.actor) for drift in found] == [
        ("spec.replicas", 3, 5, "kubectl-edit"),
        (f"{text_of(MODE)}.value", "fast", MISSING, UNKNOWN),
        (f"{text_of(WEB)}.ports[containerPort=80,protocol=TCP]", {"containerPort": 80}, MISSING, UNKNOWN),
    ]


def test_without_an_answer_a_map_owned_as_a_whole_is_one_field():
    """managedFields tell that nobody owns anything inside it, as a Service's selector."""
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web", "tier": "front"}, "type": "ClusterIP"},
    }
    live = copy.deepcopy(body)
    live["spec"]["selector"]["tier"] = "back"
    live["metadata"]["managedFields"] = written(
        [entry("kubectl-patch", frozenset({fields("spec", "selector")}), version="v1")]
    )
    whole = FieldDrift("spec.selector", body["spec"]["selector"], live["spec"]["selector"], "kubectl-patch")
    assert differences_from_manifest(body, live) == (whole,)
    live["spec"]["selector"] |= {"tier": "front", "extra": "yes"}
    (found,) = differences_from_manifest(body, live)
    assert found.path_text == "spec.selector"
    del live["spec"]["selector"]["extra"]
    assert differences_from_manifest(body, live) == ()


def test_without_an_answer_the_defaults_of_a_map_that_is_still_ours_are_no_difference():
    about: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}
    body = about | {"spec": {"ref": {"fieldPath": "metadata.name"}}}
    live = about | {"spec": {"ref": {"fieldPath": "metadata.name", "apiVersion": "v1"}}}
    ours = entry(FIELD_MANAGER, frozenset({fields("spec", "ref")}), operation=APPLY, version="v1")
    live["metadata"] = {**about["metadata"], "managedFields": written([ours])}
    assert differences_from_manifest(body, live) == ()
