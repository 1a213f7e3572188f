"""Edges and ranks: transcripts of what waits for what."""

from typing import Any

from tests.fakes.plan_objects import applied, manifest, ref_of

from trimtab.core.manifest import Manifest, Origin
from trimtab.core.refs import ObjectRef
from trimtab.plan.changes import Create, Delete, Forget, Unchanged
from trimtab.plan.order import edges, in_order, last, rank

SPACE = manifest("Namespace", "shop")
CONFIG = manifest("ConfigMap", "a")
DEFINITION = manifest(
    "CustomResourceDefinition", "widgets.example.org", spec={"group": "example.org", "names": {"kind": "Widget"}}
)
WIDGET = manifest("Widget", "one")
SERVICE = manifest("Service", "hook", spec={"selector": {"app": "hook"}})
POD_OF_HOOK: dict[str, Any] = {"template": {"metadata": {"labels": {"app": "hook", "x": "y"}}}}
BACKEND = manifest("Deployment", "hook", spec=POD_OF_HOOK)
BYSTANDER = manifest("Deployment", "web", spec={"template": {"metadata": {"labels": {"app": "web"}}}})
CALLED = {"name": "hook", "namespace": "shop"}
WEBHOOK = manifest(
    "ValidatingWebhookConfiguration", "guard", webhooks=[{"clientConfig": {"service": CALLED}}, {"clientConfig": {}}]
)
API_SERVICE = manifest("APIService", "v1.x", spec={"service": CALLED})
LOCAL_API_SERVICE = manifest("APIService", "v1.y", spec={})


def creating(*manifests):
    return [Create(each) for each in manifests]


def deleting(*refs):
    return [Delete(ref, applied()) for ref in refs]


def test_objects_wait_for_their_namespace_and_their_definition():
    found = edges(creating(WIDGET, CONFIG, DEFINITION, SPACE), plurals={})
    assert found == {
        WIDGET.ref: frozenset({SPACE.ref, DEFINITION.ref}),
        CONFIG.ref: frozenset({SPACE.ref}),
    }


def test_a_namespace_that_is_there_is_not_waited_for_but_a_definition_that_may_not_serve_yet_is():
    found = edges([*creating(WIDGET), Unchanged(SPACE), Unchanged(DEFINITION)], plurals={})
    assert found == {WIDGET.ref: frozenset({DEFINITION.ref})}


def test_what_calls_back_waits_for_what_answers():
    found = edges(creating(WEBHOOK, API_SERVICE, LOCAL_API_SERVICE, SERVICE, BACKEND, BYSTANDER), plurals={})
    behind = frozenset({SERVICE.ref, BACKEND.ref})
    assert found == {WEBHOOK.ref: behind, API_SERVICE.ref: behind}


def test_a_service_without_selector_has_no_backends_here():
    headless = manifest("Service", "hook", spec={})
    assert edges(creating(WEBHOOK, headless, BACKEND), plurals={}) == {WEBHOOK.ref: frozenset({headless.ref})}


def test_a_webhook_behind_a_service_of_others_waits_for_nothing():
    assert edges(creating(WEBHOOK), plurals={}) == {}


def test_deletions_run_backwards():
    refs = [each.ref for each in (SPACE, CONFIG, DEFINITION, WIDGET, WEBHOOK, BACKEND)]
    found = edges(deleting(*refs), plurals={})
    assert found == {
        WIDGET.ref: frozenset({WEBHOOK.ref}),
        CONFIG.ref: frozenset({WEBHOOK.ref, WIDGET.ref}),
        BACKEND.ref: frozenset({WEBHOOK.ref, WIDGET.ref}),
        DEFINITION.ref: frozenset({WEBHOOK.ref, WIDGET.ref}),
        SPACE.ref: frozenset({WEBHOOK.ref, CONFIG.ref, WIDGET.ref, BACKEND.ref}),
    }


def test_what_pods_consume_goes_after_the_workloads_of_the_new_revision():
    found = edges([*creating(BYSTANDER), *deleting(CONFIG.ref, BACKEND.ref)], plurals={})
    assert found == {CONFIG.ref: frozenset({BYSTANDER.ref})}


def test_order_of_what_may_start_at_once():
    role, quota = manifest("ClusterRole", "r"), manifest("ResourceQuota", "q")
    changes = [
        *deleting(SPACE.ref, CONFIG.ref),
        Forget(ref_of("ConfigMap", "gone"), applied()),
        *creating(WEBHOOK, BYSTANDER, SERVICE, role, CONFIG, quota, SPACE),
    ]
    names = [change.ref.name for change in in_order(changes)]
    assert names == ["shop", "q", "a", "r", "hook", "web", "guard", "a", "gone", "shop"]


def test_kinds_that_nobody_ranked_start_with_the_workloads():
    assert rank(WIDGET.ref) == rank(BYSTANDER.ref) < rank(API_SERVICE.ref)


def test_admission_policies_start_last_and_go_first():
    policies = [
        Manifest(
            ObjectRef("local", "admissionregistration.k8s.io", f"{verb}AdmissionPolicy{part}", "", "safe"),
            "admissionregistration.k8s.io/v1",
            {},
            Origin("policy.yaml"),
        )
        for verb in ("Validating", "Mutating")
        for part in ("Binding", "")
    ]
    assert all(last(each.ref) and rank(each.ref) > rank(API_SERVICE.ref) for each in policies)
    assert not last(WEBHOOK.ref)
    in_this_order = [change.ref for change in in_order(creating(*policies, WEBHOOK, CONFIG))]
    assert in_this_order == [CONFIG.ref, WEBHOOK.ref, *(each.ref for each in policies)]
    assert in_order(deleting(CONFIG.ref, policies[0].ref))[0].ref == policies[0].ref


def test_admission_policies_come_last_and_go_first():
    policy, binding = (manifest(f"ValidatingAdmissionPolicy{part}", "p") for part in ("", "Binding"))
    changes = in_order(creating(policy, WEBHOOK, WIDGET, binding))
    assert [change.ref.kind for change in changes][-2:] == [policy.ref.kind, binding.ref.kind]
    assert last(policy.ref)
    assert last(binding.ref)
    assert not last(WEBHOOK.ref)
    assert [change.ref for change in in_order(deleting(WIDGET.ref, policy.ref))] == [policy.ref, WIDGET.ref]


def test_a_thousand_deletions_behind_a_thousand_share_their_sets():
    customs = [ref_of("Widget", f"w{number}") for number in range(1000)]
    others = [ref_of("Deployment", f"d{number}") for number in range(1000)]
    found = edges(deleting(DEFINITION.ref, *customs, *others), plurals={})
    assert len({id(found[ref]) for ref in others}) == 1


def test_a_thousand_renamed_objects_share_what_they_wait_for():
    new = [Create(manifest("Deployment", f"new-{n}"), None) for n in range(1000)]
    old = [Delete(ref_of("ConfigMap", f"old-{n}"), applied()) for n in range(1000)]
    found = edges([*new, *old], plurals={})
    assert len({id(found[change.ref]) for change in old}) == 1
    assert found[old[0].ref] == {change.ref for change in new}
