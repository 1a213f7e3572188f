"""The rules of claims on hand-made objects; what the server makes of them is tried in tests/integration/drift."""

import copy

import pytest
from tests.unit.drift.objects import deployment, entry, owned, taken

from trimtab.core.api_error import ApiError, Cause
from trimtab.core.fields.managed import APPLY, ManagedEntry, entries_of, our_entry, written
from trimtab.core.fields.path import field, fields, keyed, text_of
from trimtab.plan.claim import (
    REPLICAS,
    Breadth,
    causes_of,
    claim_after_invalid,
    claim_dropped,
    claim_for_adoption,
    declared_paths,
)

WEB = (*fields("spec", "template", "spec", "containers"), keyed({"name": "web"}))
ENV = (*WEB, field("env"))
MODE = (*ENV, keyed({"name": "MODE"}))
VALUE_FROM = (*MODE, field("valueFrom"))
FIELD_REF = (*VALUE_FROM, field("fieldRef"))
LABEL = fields("metadata", "labels", "foreign")
REFERENCE = {"fieldRef": {"fieldPath": "metadata.name"}}


def container(body):
    return body["spec"]["template"]["spec"]["containers"][0]


def held(managed_fields):
    """Manager → what it holds, as text."""
    return {
        each.manager: {text_of(path) for path in each.paths}
        for each in (ManagedEntry.read(raw) for raw in managed_fields)
    }


def referring():
    """MODE's value has become a reference, and OTHER is a foreign variable beside it."""
    live = owned(deployment())
    container(live)["env"] = [{"name": "MODE", "valueFrom": REFERENCE}, {"name": "OTHER", "valueFrom": REFERENCE}]
    other = (*ENV, keyed({"name": "OTHER"}))
    edit = entry("kubectl-edit", frozenset({VALUE_FROM, FIELD_REF, other, (*other, field("valueFrom")), LABEL}))
    return taken(live, frozenset({(*MODE, field("value"))}), edit)


VALUE_FROM_CAUSE = Cause(
    "spec.template.spec.containers[0].env[0].valueFrom",
    'Invalid value: "": may not be specified when `value` is not empty',
)


def test_what_the_message_names_is_taken_and_no_more():
    claimed = claim_after_invalid(referring(), deployment(), [VALUE_FROM_CAUSE])
    assert claimed is not None
    mine, theirs = held(claimed)["trimtab"], held(claimed)["kubectl-edit"]
    assert {text_of(VALUE_FROM), text_of(FIELD_REF)} <= mine
    assert not any("valueFrom" in path and "MODE" in path for path in theirs)
    assert {"metadata.labels.foreign"} < theirs
    assert any("OTHER" in path for path in theirs)


def test_wider_claims_take_what_stands_beside_a_lost_field():
    body = deployment()
    container(body)["env"] = [{"name": "MODE", "valueFrom": REFERENCE}]
    live = owned(body)
    container(live)["env"] = [{"name": "MODE", "value": "slow"}]
    value = (*MODE, field("value"))
    live = taken(live, frozenset({(*FIELD_REF, field("fieldPath"))}), entry("kubectl-edit", frozenset({value, LABEL})))
    assert claim_after_invalid(live, body, [VALUE_FROM_CAUSE]) is None
    claimed = claim_after_invalid(live, body, [VALUE_FROM_CAUSE], breadth=Breadth.SIBLINGS)
    assert claimed is not None
    assert held(claimed)["kubectl-edit"] == {"metadata.labels.foreign"}
    # One level up nothing else is in the way, so that it takes the same.
    assert held(claim_after_invalid(live, body, [VALUE_FROM_CAUSE], breadth=Breadth.PARENTS) or ())["kubectl-edit"] == {
        "metadata.labels.foreign"
    }


def test_the_widest_claim_climbs_to_the_nearest_ancestor_with_anything_undeclared():
    body = deployment()
    live = copy.deepcopy(owned(body))
    live["spec"]["template"]["spec"]["hostNetwork"] = True
    container(live)["image"] = "evil:1"
    cause = Cause("spec.template.spec.containers[0].image", "Invalid value")
    assert claim_after_invalid(live, body, [cause], breadth=Breadth.SIBLINGS) is None
    claimed = claim_after_invalid(live, body, [cause], breadth=Breadth.PARENTS)
    assert claimed is not None
    assert "spec.template.spec.hostNetwork" in held(claimed)["trimtab"]


def service(*ports):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"ports": list(ports)},
    }


def ports_of(claimed):
    return {path for path in held(claimed)["trimtab"] if path.count("[") == 1 and path.endswith("]")}


@pytest.mark.parametrize(
    ("field_name", "others", "expected"),
    [
        ("spec.ports[2].name", ({"name": "http", "port": 8080}, {"name": "m", "port": 9090}), {8080}),
        ("spec.ports[1]", ({"name": "x", "port": 8080}, {"name": "m", "port": 9090}), {8080, 9090}),
        ("spec.ports[0].nodePort", ({"name": "x", "port": 8080, "nodePort": 3}, {"name": "m", "port": 9090}), {8080}),
        ("spec.ports[0].name", ({"name": "x", "port": 8080}, {"name": "m", "port": 9090}), set()),
    ],
)
def test_of_a_list_only_items_equal_to_a_declared_one_are_taken(field_name, others, expected):
    declared = {"name": "http", "port": 80, "nodePort": 3}
    live = owned(service(declared))
    live["spec"]["ports"] = [{**port, "protocol": "TCP"} for port in others]
    claimed = claim_after_invalid(live, service(declared), [Cause(field_name, "Duplicate value")])
    found = set() if claimed is None else ports_of(claimed) - {"spec.ports[port=80,protocol=TCP]"}
    assert found == {f"spec.ports[port={number},protocol=TCP]" for number in expected}


def test_keys_of_a_map_are_taken_one_by_one():
    live = owned(deployment())
    container(live)["resources"]["requests"] = {"cpu": "2", "memory": "1Mi"}
    container(live)["resources"]["limits"]["cpu"] = "3"
    field_name = "spec.template.spec.containers[0].resources.requests"
    cause = Cause(field_name, 'Invalid value: "2": must be less than or equal to cpu limit of 1')
    claimed = claim_after_invalid(live, deployment(), [cause])
    assert claimed is not None
    requests = {path for path in held(claimed)["trimtab"] if ".requests" in path}
    assert requests == {f"{text_of(WEB)}.resources.requests.cpu"}


@pytest.mark.parametrize(
    "cause",
    [
        Cause("spec", "Forbidden: updates to statefulset spec"),
        Cause("metadata.labels", "Invalid value: foreign"),
        Cause("spec.template.metadata.labels", "`selector` does not match template `labels` foreign"),
        Cause("status.phase", "Invalid value"),
    ],
)
@pytest.mark.parametrize("breadth", list(Breadth))
def test_refusals_that_no_foreign_field_is_to_blame_for_claim_nothing(cause, breadth):
    live = owned(deployment(), entry("kubectl-label", frozenset({LABEL})))
    live["metadata"]["labels"]["foreign"] = "1"
    live["spec"]["paused"] = True
    assert claim_after_invalid(live, deployment(), [cause], breadth=breadth) is None


def test_causes_are_those_that_a_claim_may_mend():
    causes = (Cause("a", "Invalid"), Cause("b", "field is immutable"))
    assert causes_of(ApiError(422, "Invalid", "no", causes=causes)) == causes[:1]
    assert causes_of(ApiError(403, "Forbidden", "no", causes=causes)) == ()
    (port,) = causes_of(ApiError(500, "", "duplicate nodePort: {TCP 30080}"))
    assert port.field == "spec.ports[0].nodePort"


def adopted():
    live = copy.deepcopy(deployment())
    live["metadata"]["finalizers"] = ["f"]
    former = declared_paths(live, live)
    entries = [
        entry("kubectl-client-side-apply", former),
        entry("kubectl-label", frozenset({LABEL})),
        entry("kubectl", frozenset({REPLICAS}), subresource="scale"),
    ]
    live["metadata"]["managedFields"] = written(entries)
    return live


def test_adoption_takes_all_from_those_who_declared_it():
    claimed = claim_for_adoption(adopted(), deployment())
    assert claimed is not None
    managers = held(claimed)
    assert managers["kubectl-client-side-apply"] == {"metadata.finalizers[=f]"}
    assert managers["kubectl-label"] == {"metadata.labels.foreign"}
    assert managers["kubectl"] == {"spec.replicas"}
    assert managers["trimtab"] == {text_of(path) for path in declared_paths(deployment(), {})}


def test_adoption_leaves_undeclared_replicas_where_they_are():
    body = deployment()
    del body["spec"]["replicas"]
    managers = held(claim_for_adoption(adopted(), body) or ())
    assert "spec.replicas" in managers["kubectl-client-side-apply"]
    assert "spec.replicas" not in managers["trimtab"]
    assert (
        "spec.replicas" not in held(claim_for_adoption(adopted(), {"apiVersion": "v1", "spec": None}) or ())["trimtab"]
    )


def test_there_is_nothing_to_adopt_from_controllers_or_another_api_version():
    assert claim_for_adoption(adopted(), deployment(), managers={"nobody"}) is None
    assert claim_for_adoption({**adopted(), "apiVersion": "apps/v2"}, deployment()) is None
    assert claim_for_adoption(deployment(), deployment()) is None


def test_our_entry_of_another_api_version_claims_nothing():
    live = adopted()
    old = ManagedEntry("trimtab", APPLY, "apps/v1beta1", "", "", frozenset({REPLICAS}))
    live["metadata"]["managedFields"].append(old.written())
    assert claim_for_adoption(live, deployment()) is None


def test_a_claim_keeps_our_entrys_time_and_appears_once():
    live = referring()
    claimed = claim_after_invalid(live, deployment(), [VALUE_FROM_CAUSE])
    assert claimed is not None
    (mine,) = [each for each in claimed if each["manager"] == "trimtab"]
    before = our_entry(live)
    assert before is not None
    assert mine["time"] == before.time


def dropped(old, new, live):
    return claim_dropped(live, new, dropped=declared_paths(old, live))


def test_a_dropped_item_is_taken_with_all_that_others_put_into_it():
    new = deployment()
    container(new)["env"] = []
    value = (*MODE, field("value"))
    live = taken(owned(deployment()), frozenset({value}), entry("kubectl-edit", frozenset({value, LABEL})))
    claimed = dropped(deployment(), new, live)
    assert claimed is not None
    assert held(claimed)["kubectl-edit"] == {"metadata.labels.foreign"}
    assert text_of(value) in held(claimed)["trimtab"]


def test_what_took_the_place_of_a_dropped_part_is_taken():
    old, new = deployment(), deployment()
    container(old)["livenessProbe"] = {"httpGet": {"path": "/", "port": 80}}
    live = owned(new)
    container(live)["livenessProbe"] = {"tcpSocket": {"port": 81}}
    socket = (*WEB, field("livenessProbe"), field("tcpSocket"))
    live = taken(live, frozenset(), entry("kubectl-edit", frozenset({socket, (*socket, field("port"))})))
    claimed = dropped(old, new, live)
    assert claimed is not None
    assert "kubectl-edit" not in held(claimed)


def test_nothing_is_taken_where_nothing_was_dropped_or_others_hold_nothing_of_it():
    live = owned(deployment(), entry("kubectl-label", frozenset({LABEL})))
    new = deployment()
    container(new)["env"] = []
    assert dropped(deployment(), deployment(), live) is None
    assert dropped(deployment(), new, live) is None


def test_dropped_replicas_and_keys_beside_dropped_ones_stay_with_others():
    old, new = deployment(), deployment()
    del new["spec"]["replicas"]
    del new["metadata"]["labels"]
    live = taken(
        owned(old),
        frozenset({REPLICAS, fields("metadata", "labels", "tier")}),
        entry("hpa", frozenset({REPLICAS, LABEL})),
    )
    live["metadata"]["labels"] = {"foreign": "1"}
    assert [each.manager for each in entries_of(live)] == ["trimtab", "hpa"]
    assert dropped(old, new, live) is None
