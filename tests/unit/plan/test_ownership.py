import pytest
from tests.fakes.plan_objects import OTHER, OWNER, live, manifest

from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION
from trimtab.plan.ownership import (
    Owner,
    bucket_of,
    has_apply_entry,
    held_by_other,
    mark,
    names_owner,
    owner_of,
    proven,
    stays,
    unmark_patch,
)


def test_buckets_are_stable_and_spread():
    assert bucket_of("0b9c0b1e-6a0e-4f4e-9f5e-111111111111") == 8
    assert len({bucket_of(f"uid-{number}") for number in range(2000)}) == 256


def test_marking_replaces_what_git_said_and_leaves_the_manifest_as_it_was():
    plain = manifest("ConfigMap", "a", labels={"x": "y", BUCKET_LABEL: "mine"}, annotations=None)
    marked = mark(plain, instance="i1", bucket=7, owner=OWNER)
    assert marked.body["metadata"]["labels"] == {"x": "y", BUCKET_LABEL: "i1-7"}
    assert marked.annotations == {OWNER_ANNOTATION: "trimtab-system/shop/app-1"}
    assert plain.body["metadata"]["labels"][BUCKET_LABEL] == "mine"
    assert (marked.ref, marked.origin) == (plain.ref, plain.origin)


def test_owners_are_read_back():
    assert owner_of(live("ConfigMap", "a", owner=OWNER).body) == OWNER
    assert owner_of(live("ConfigMap", "a").body) is None
    assert OWNER.title == "trimtab-system/shop"


@pytest.mark.parametrize("text", ["", "a/b", "a/b/c/d", "a//c"])
def test_garbled_owners_are_none(text):
    assert Owner.parse(text) is None


def test_another_application_is_told_from_an_earlier_one_of_the_same_name():
    earlier = Owner(OWNER.namespace, OWNER.name, "app-0")
    assert held_by_other(live("ConfigMap", "a", owner=OTHER).body, OWNER) == OTHER
    assert held_by_other(live("ConfigMap", "a", owner=earlier).body, OWNER) is None
    assert held_by_other(live("ConfigMap", "a").body, OWNER) is None
    assert not names_owner(live("ConfigMap", "a", owner=earlier).body, OWNER)


def test_only_both_marks_prove_an_object_ours():
    assert proven(live("ConfigMap", "a", owner=OWNER, applied=True).body, OWNER)
    assert not proven(live("ConfigMap", "a", owner=OWNER).body, OWNER)
    assert not proven(live("ConfigMap", "a", applied=True).body, OWNER)


@pytest.mark.parametrize(
    "entry",
    [
        {"manager": "kubectl", "operation": "Apply"},
        {"manager": "trimtab", "operation": "Update"},
        {"manager": "trimtab", "operation": "Apply", "subresource": "status"},
    ],
)
def test_entries_of_other_sorts_are_none_of_ours(entry):
    assert not has_apply_entry(live("ConfigMap", "a", managedFields=[entry]).body)


def test_objects_may_ask_to_stay():
    assert stays(live("ConfigMap", "a", annotations={"trimtab.dev/prune": "disabled"}).body)
    assert not stays(live("ConfigMap", "a", annotations={"trimtab.dev/prune": "yes"}).body)


def test_unmarking_takes_both_marks_off_one_very_object():
    metadata = unmark_patch("uid-1")["metadata"]
    assert metadata == {"uid": "uid-1", "labels": {BUCKET_LABEL: None}, "annotations": {OWNER_ANNOTATION: None}}
