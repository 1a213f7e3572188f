import pytest
from tests.fakes.plan_objects import applied, options, owned, ref_of

from trimtab.plan.guards.self_prune import SelfPrune, check_prune
from trimtab.plan.guards.verdict import Prune

OPTIONS = options(controller_namespace="controller")


@pytest.mark.parametrize(
    "ref",
    [
        ref_of("CustomResourceDefinition", "applications.trimtab.dev"),
        ref_of("Namespace", "controller"),
        ref_of("Namespace", "trimtab-system"),
        ref_of("Application", "shop", "trimtab-system"),
    ],
    ids=str,
)
def test_what_trimtab_stands_on_stays(ref):
    with pytest.raises(SelfPrune):
        check_prune(Prune(ref, applied(), owned(), OPTIONS))


@pytest.mark.parametrize(
    "ref",
    [
        ref_of("CustomResourceDefinition", "widgets.example.org"),
        ref_of("Namespace", "shop"),
        ref_of("Application", "blog", "trimtab-system"),
    ],
    ids=str,
)
def test_others_may_go(ref):
    check_prune(Prune(ref, applied(), owned(), OPTIONS))
