"""What the baseline sees and what it leaves to others, on the real API server."""

import pytest
from tests.integration.drift.examples import config_map, container_of, deployment, pod_of, secret, service
from tests.integration.drift.server import JSON_PATCH, MERGE, STRATEGIC

from trimtab.core.fields.managed import our_paths
from trimtab.core.fields.path import MISSING, fields, resolve
from trimtab.drift.baseline import baseline
from trimtab.drift.compare import differences
from trimtab.plan.normalise import normalise

KEY = b"installation"


def digest(live):
    value = baseline(live, key=KEY)
    assert value is not None
    return value


def in_pod(**spec):
    return {"spec": {"template": {"spec": spec}}}


def in_web(**container):
    return in_pod(containers=[{"name": "web", **container}])


LEFT_ALONE = {
    "undeclared label": {"metadata": {"labels": {"foreign": "1"}}},
    "undeclared annotation": {"metadata": {"annotations": {"foreign": "1"}}},
    "undeclared env": in_web(env=[{"name": "FOREIGN", "value": "1"}]),
    "undeclared container": in_pod(containers=[{"name": "sidecar", "image": "side:1"}]),
    "undeclared port": in_web(ports=[{"name": "metrics", "containerPort": 9090}]),
    "field in an owned empty map": in_pod(volumes=[{"name": "scratch", "emptyDir": {"medium": "Memory"}}]),
    "default set again": {"spec": {"revisionHistoryLimit": 7}},
    "another spelling of a quantity": in_web(resources={"limits": {"cpu": "1", "memory": "512Mi"}}),
    "undeclared request": in_web(resources={"requests": {"cpu": "10m"}}),
}


@pytest.mark.parametrize("patch", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_changes_that_are_not_ours_leave_it_alone(server, patch):
    body = deployment()
    before = digest(server.apply(body))
    live = server.patch(body, patch)
    assert digest(live) == before
    assert differences(server.apply(body, dry_run=True), live) == ()


def test_status_defaults_and_reordering_leave_it_alone(server):
    body = deployment()
    pod_of(body)["containers"].append({"name": "second", "image": "second:1"})
    before = digest(server.apply(body))
    assert (
        digest(server.patch(body, {"status": {"observedGeneration": 99}}, kind=MERGE, subresource="status")) == before
    )

    def reorder(live):
        pod_of(live)["containers"].reverse()
        container_of(live)["env"].reverse()

    assert digest(server.replace(body, reorder)) == before


def test_undeclared_replicas_leave_it_alone(server):
    body = deployment()
    del body["spec"]["replicas"]
    before = digest(server.apply(body))
    server.patch(body, {"spec": {"replicas": 2}}, "kubectl", kind=MERGE, subresource="scale")
    live = server.get(body)
    assert digest(live) == before
    answer = server.apply(body, dry_run=True)
    assert answer["spec"]["replicas"] == 2
    assert differences(answer, live) == ()


CHANGES = {
    "replicas": ({"spec": {"replicas": 2}}, "spec.replicas", 1, 2, "kubectl-patch"),
    "label": ({"metadata": {"labels": {"tier": "back"}}}, "metadata.labels.tier", "front", "back", "kubectl-patch"),
    "label removed": ({"metadata": {"labels": {"tier": None}}}, "metadata.labels.tier", "front", MISSING, "unknown"),
    "annotation": (
        {"metadata": {"annotations": {"note": "mine"}}},
        "metadata.annotations.note",
        "by git",
        "mine",
        "kubectl-patch",
    ),
    "image": (
        in_web(image="evil:1"),
        "spec.template.spec.containers[name=web].image",
        "shop/web:1",
        "evil:1",
        "kubectl-patch",
    ),
    "args": (
        in_web(args=["--evil"]),
        "spec.template.spec.containers[name=web].args",
        ["--port", "80"],
        ["--evil"],
        "kubectl-patch",
    ),
    "env": (
        in_web(env=[{"name": "MODE", "value": "slow"}]),
        "spec.template.spec.containers[name=web].env[name=MODE].value",
        "fast",
        "slow",
        "kubectl-patch",
    ),
    "empty env given a value": (
        in_web(env=[{"name": "EMPTY", "value": "full"}]),
        "spec.template.spec.containers[name=web].env[name=EMPTY].value",
        MISSING,
        "full",
        "kubectl-patch",
    ),
    "env removed": (
        in_web(env=[{"name": "MODE", "$patch": "delete"}]),
        "spec.template.spec.containers[name=web].env[name=MODE]",
        {"name": "MODE", "value": "fast"},
        MISSING,
        "unknown",
    ),
    "limit": (
        in_web(resources={"limits": {"cpu": "2"}}),
        "spec.template.spec.containers[name=web].resources.limits.cpu",
        "1",
        "2",
        "kubectl-patch",
    ),
    "mount": (
        in_web(volumeMounts=[{"mountPath": "/scratch", "name": "scratch", "readOnly": True}]),
        None,
        None,
        None,
        None,
    ),
    "volume removed": (
        in_pod(
            volumes=[{"name": "scratch", "$patch": "delete"}],
            containers=[{"name": "web", "volumeMounts": [{"mountPath": "/scratch", "$patch": "delete"}]}],
        ),
        "spec.template.spec.volumes[name=scratch]",
        {"name": "scratch", "emptyDir": {}},
        MISSING,
        "unknown",
    ),
}


@pytest.mark.parametrize(("patch", "path", "declared", "found", "actor"), CHANGES.values(), ids=CHANGES)
def test_changes_of_what_is_declared_are_seen_told_and_healed(server, patch, path, declared, found, actor):
    body = deployment()
    before = digest(server.apply(body))
    live = server.patch(body, patch)
    drifts = {drift.path_text: drift for drift in differences(server.apply(body, dry_run=True), live)}
    if path is None:
        assert (digest(live), drifts) == (before, {})
        return
    assert digest(live) != before
    assert (drifts[path].declared, drifts[path].live, drifts[path].actor) == (declared, found, actor)
    assert len(drifts) == (2 if path.endswith("[name=scratch]") else 1)
    healed = server.apply(body)
    assert digest(healed) == before
    assert differences(healed, server.get(body)) == ()


def test_scaling_names_the_manager_of_the_subresource(server):
    body = deployment()
    server.apply(body)
    server.patch(body, {"spec": {"replicas": 2}}, "kubectl", kind=MERGE, subresource="scale")
    (drift,) = differences(server.apply(body, dry_run=True), server.get(body))
    assert (drift.path_text, drift.declared, drift.live, drift.actor) == ("spec.replicas", 1, 2, "kubectl")


def test_another_applier_of_another_value_is_named(server):
    body = config_map(a="1", b="2")
    before = digest(server.apply(body))
    live = server.apply({**body, "metadata": {"name": "settings"}, "data": {"a": "other"}}, "another-applier")
    assert digest(live) != before
    (drift,) = differences(server.apply(body, dry_run=True), live)
    assert (drift.path_text, drift.live, drift.actor) == ("data.a", "other", "another-applier")


def test_there_and_back_again_is_a_suspicion_and_no_drift(server):
    body = config_map(a="1")
    before = digest(server.apply(body))
    server.patch(body, {"data": {"a": "2"}})
    live = server.patch(body, {"data": {"a": "1"}})
    assert digest(live) != before
    assert differences(server.apply(body, dry_run=True), live) == ()
    # Owned again, the object rests in the same baseline.
    assert digest(server.apply(body)) == before


def test_another_applier_of_the_same_value_is_no_drift(server):
    body = config_map(a="1")
    before = digest(server.apply(body))
    live = server.apply({**body, "metadata": {"name": "settings"}}, "another-applier")
    assert digest(live) == before
    assert differences(server.apply(body, dry_run=True), live) == ()


def test_a_recreated_object_has_no_baseline(server):
    body = config_map(a="1")
    server.apply(body)
    server.delete(body)
    assert baseline(server.create(body), key=KEY) is None


def test_managed_fields_wiped_by_somebody_leave_no_baseline(server):
    body = config_map(a="1")
    server.apply(body)
    wiped = server.patch(body, {"metadata": {"managedFields": [{}]}}, kind=MERGE)
    assert baseline(wiped, key=KEY) is None


def test_the_same_applied_again_changes_nothing_at_all(server):
    for body in (deployment(), service(), config_map(), secret()):
        first, second = server.apply(body), server.apply(body)
        assert digest(first) == digest(second) == digest(server.get(body))
        if body["kind"] != "Deployment":
            assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_secrets_edit_is_seen_and_its_value_is_not_told(server):
    body = normalise(secret() | {"stringData": {"a": "plain", "b": "other"}})
    before = digest(server.apply(body))
    live = server.patch(body, {"stringData": {"a": "stolen"}})
    assert digest(live) != before
    found = differences(server.apply(body, dry_run=True), live)
    assert [drift.path_text for drift in found] == ["data.a"]
    assert found[0].actor == "kubectl-patch"
    assert not {"plain", "stolen", "cGxhaW4=", "c3RvbGVu"} & {found[0].declared, found[0].live}


def test_a_new_default_of_a_custom_resource_is_no_drift(server, widgets):
    body = widgets.body(size=1)
    before = digest(server.apply(body))
    widgets.add_default()
    live = server.get(body)
    assert live["spec"]["colour"] == "blue"
    assert digest(live) == before
    assert differences(server.apply(body, dry_run=True), live) == ()


def test_a_custom_resource_edited_renamed_and_emptied(server, widgets):
    body = widgets.body(size=1, free={"a": {"b": 1}, "list": [{"x": None}]}, nested={"one": "1", "two": "2"})
    before = digest(server.apply(body))
    assert digest(server.apply(body)) == before
    live = server.patch(body, {"spec": {"nested": None, "free": {"a": {"b": 2, "c": 3}}}}, kind=MERGE)
    assert digest(live) != before
    found = {
        drift.path_text: (drift.declared, drift.live) for drift in differences(server.apply(body, dry_run=True), live)
    }
    assert found == {
        "spec.free.a.b": (1, 2),
        "spec.nested.one": ("1", MISSING),
        "spec.nested.two": ("2", MISSING),
    }
    healed = server.apply(body)
    assert digest(healed) == before
    assert healed["spec"]["free"]["a"] == {"b": 1, "c": 3}


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE, JSON_PATCH])
def test_the_way_of_the_edit_does_not_matter(server, kind):
    body = config_map(a="1", b="2")
    server.apply(body)
    patch = {"data": {"a": "x"}} if kind != JSON_PATCH else [{"op": "replace", "path": "/data/a", "value": "x"}]
    live = server.patch(body, patch, "editor", kind=kind)
    (drift,) = differences(server.apply(body, dry_run=True), live)
    assert (drift.path_text, drift.actor) == ("data.a", "editor")


def test_every_owned_path_resolves_or_was_declared_empty(server):
    """No finding can come from paths that the server writes in a way we do not read."""
    body = deployment()
    answer = server.apply(body)
    unresolved = {path for path in our_paths(answer) if resolve(answer, path) is MISSING}
    empty = {path for path in unresolved if path[-1].text == "value"}
    assert unresolved == empty
    assert fields("spec", "replicas") in our_paths(answer)
