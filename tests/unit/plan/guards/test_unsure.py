import pytest
from tests.fakes.plan_objects import applied, manifest, options, owned

from trimtab.plan.guards.unsure import NotKnown, NotKnownToPrune, check, check_prune
from trimtab.plan.guards.verdict import Prune
from trimtab.plan.sight import Unsure

MANIFEST = manifest("ConfigMap", "a")


def test_what_is_not_known_is_not_created():
    with pytest.raises(NotKnown, match="the watch is down") as refusal:
        check(MANIFEST, Unsure("the watch is down"))
    assert refusal.value.retry


def test_what_is_not_known_is_not_pruned():
    with pytest.raises(NotKnownToPrune, match="the watch is down"):
        check_prune(Prune(MANIFEST.ref, applied(), Unsure("the watch is down"), options()))
    check_prune(Prune(MANIFEST.ref, applied(), owned(), options()))
