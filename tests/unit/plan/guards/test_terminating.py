import pytest
from tests.fakes.plan_objects import live, manifest

from trimtab.plan.guards.terminating import BeingDeleted, check

MANIFEST = manifest("ConfigMap", "a")


@pytest.mark.parametrize(("finalizers", "said"), [([], "being deleted"), (["x/y"], "held by the finalizers x/y")])
def test_what_is_being_deleted_is_not_taken_over(finalizers, said):
    seen = live("ConfigMap", "a", deletionTimestamp="2026-01-01T00:00:00Z", finalizers=finalizers)
    with pytest.raises(BeingDeleted, match=said) as refusal:
        check(MANIFEST, seen)
    assert refusal.value.retry


def test_what_lives_may_be():
    check(MANIFEST, live("ConfigMap", "a"))
