import pytest
from tests.fakes.plan_objects import INTENDED, OTHER, OWNER, applied, live, manifest, options, owned

from trimtab.plan.guards.foreign_owner import BelongsToOther, HeldByOther, check, check_prune
from trimtab.plan.guards.verdict import Prune
from trimtab.plan.ownership import Owner
from trimtab.plan.sight import Foreign

MANIFEST = manifest("ConfigMap", "a")
HELD = {MANIFEST.ref: OTHER}


@pytest.mark.parametrize(
    ("entry", "seen", "held"),
    [
        (None, live("ConfigMap", "a", owner=OTHER), {}),
        (INTENDED, live("ConfigMap", "a", owner=OTHER), {}),
        (None, None, HELD),
        (None, live("ConfigMap", "a"), HELD),
        (applied("uid-1"), live("ConfigMap", "a", owner=OTHER), HELD),
        (applied("uid-0"), live("ConfigMap", "a", owner=OTHER), {}),
    ],
    ids=["marked", "marked and intended", "absent but held", "unmarked but held", "lost to it", "recreated by it"],
)
def test_the_newcomer_is_refused(entry, seen, held):
    with pytest.raises(HeldByOther, match="belongs to the Application trimtab-system/blog") as refusal:
        check(MANIFEST, entry, seen, options(held=held))
    assert refusal.value.problems[0].origin == MANIFEST.origin


@pytest.mark.parametrize(
    ("entry", "seen", "held"),
    [
        (None, None, {}),
        (None, live("ConfigMap", "a", owner=Owner(OWNER.namespace, OWNER.name, "earlier")), {}),
        (applied("uid-1"), live("ConfigMap", "a", owner=OTHER), {}),
        (applied("uid-1"), live("ConfigMap", "a"), HELD),
        (INTENDED, None, HELD),
    ],
    ids=["nobody's", "an earlier one of our name", "edited annotation", "stripped annotation", "both intend it"],
)
def test_what_is_ours_stays_ours(entry, seen, held):
    check(MANIFEST, entry, seen, options(held=held))


def test_names_of_another_namespace_are_not_shown():
    with pytest.raises(HeldByOther, match="the Application of another namespace"):
        check(MANIFEST, None, live("ConfigMap", "a", owner=Owner("elsewhere", "secret", "u")), options())


def test_what_another_application_took_is_not_pruned():
    with pytest.raises(BelongsToOther) as refusal:
        check_prune(Prune(MANIFEST.ref, applied(), Foreign(live("ConfigMap", "a", owner=OTHER)), options()))
    assert not refusal.value.unmark


@pytest.mark.parametrize("sight", [owned(), Foreign(live("ConfigMap", "a"))])
def test_all_else_may_be_pruned(sight):
    check_prune(Prune(MANIFEST.ref, applied(), sight, options()))
