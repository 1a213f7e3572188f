from dataclasses import replace

import pytest
from tests.fakes.plan_objects import manifest, ref_of

from trimtab.plan.references import backs, defined_kind, lives_in, scalable

SPACE = ref_of("Namespace", "shop")
DEFINITION = ref_of("CustomResourceDefinition", "widgets.example.org")


@pytest.mark.parametrize(
    ("ref", "container", "plurals", "inside"),
    [
        (ref_of("ConfigMap", "a"), SPACE, {}, True),
        (ref_of("ConfigMap", "a", "blog"), SPACE, {}, False),
        (replace(ref_of("ConfigMap", "a"), cluster="far"), SPACE, {}, False),
        (ref_of("Widget", "one"), DEFINITION, {}, True),
        (ref_of("Widget", "one"), DEFINITION, {("example.org", "Widget"): "widgets"}, True),
        (ref_of("Widget", "one"), DEFINITION, {("example.org", "Widget"): "gizmos"}, False),
        (ref_of("ConfigMap", "a"), DEFINITION, {}, False),
    ],
)
def test_what_goes_with_a_container(ref, container, plurals, inside):
    assert lives_in(ref, container, plurals) is inside


def test_a_definition_that_does_not_say_defines_nothing():
    assert defined_kind(manifest("CustomResourceDefinition", "x")) == ("", "")


def test_bare_pods_may_back_a_service():
    service = manifest("Service", "s", spec={"selector": {"app": "x"}})
    assert backs(manifest("Pod", "p", labels={"app": "x"}), service)
    assert not backs(manifest("Pod", "p", labels={"app": "x"}, namespace="blog"), service)
    assert not backs(manifest("Pod", "p"), service)


@pytest.mark.parametrize(("kind", "expected"), [("Deployment", True), ("Widget", True), ("ConfigMap", False)])
def test_what_may_default_to_one_replica(kind, expected):
    assert scalable(ref_of(kind, "x")) is expected
