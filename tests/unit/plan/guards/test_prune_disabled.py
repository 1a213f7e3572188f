import pytest
from tests.fakes.plan_objects import applied, live, options, owned, ref_of

from trimtab.plan.guards.prune_disabled import PruneDisabled, check_prune
from trimtab.plan.guards.verdict import Prune
from trimtab.plan.sight import Foreign, Missing

REF = ref_of("ConfigMap", "a")
KEEP = {"trimtab.dev/prune": "disabled"}


@pytest.mark.parametrize("sight", [owned(keep=True), Foreign(live("ConfigMap", "a", annotations=KEEP))])
def test_an_object_that_asks_for_it_stays(sight):
    with pytest.raises(PruneDisabled) as refusal:
        check_prune(Prune(REF, applied(), sight, options()))
    assert refusal.value.unmark


@pytest.mark.parametrize("sight", [owned(), Foreign(live("ConfigMap", "a")), Missing()])
def test_others_may_go(sight):
    check_prune(Prune(REF, applied(), sight, options()))
