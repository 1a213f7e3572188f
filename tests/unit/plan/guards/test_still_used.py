import pytest
from tests.fakes.plan_objects import applied, options, owned, ref_of

from trimtab.plan.guards.still_used import StillUsed, check_prune
from trimtab.plan.guards.verdict import Prune

PLURALS = {("example.org", "Widget"): "widgets", ("example.org", "Gadget"): "gadgets"}


@pytest.mark.parametrize(
    ("container", "staying"),
    [
        (ref_of("Namespace", "shop"), ref_of("ConfigMap", "a")),
        (ref_of("CustomResourceDefinition", "widgets.example.org"), ref_of("Widget", "one")),
    ],
)
def test_what_others_live_in_stays(container, staying):
    with pytest.raises(StillUsed):
        check_prune(
            Prune(container, applied(), owned(), options(plurals=PLURALS)), [ref_of("ConfigMap", "x", "y"), staying]
        )


@pytest.mark.parametrize(
    ("container", "staying"),
    [
        (ref_of("Namespace", "shop"), ref_of("ConfigMap", "a", "blog")),
        (ref_of("CustomResourceDefinition", "gadgets.example.org"), ref_of("Widget", "one")),
        (ref_of("ConfigMap", "shop"), ref_of("ConfigMap", "a")),
    ],
)
def test_what_nobody_needs_may_go(container, staying):
    check_prune(Prune(container, applied(), owned(), options(plurals=PLURALS)), [staying])


def test_what_nothing_can_live_in_costs_no_look_at_all_that_stays():
    """8,000 objects beside 8,000 others would stop the loop for 40 s."""
    looks = []

    def staying():
        looks.append("looked")
        yield from ()

    check_prune(Prune(ref_of("ConfigMap", "a"), applied(), owned(), options()), staying())
    assert looks == []
