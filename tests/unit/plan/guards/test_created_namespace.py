import pytest
from tests.fakes.plan_objects import applied, options, owned, ref_of

from trimtab.plan.guards.created_namespace import CreatedNamespace, check_prune
from trimtab.plan.guards.verdict import Prune


def test_a_namespace_made_on_request_stays():
    ref = ref_of("Namespace", "shop")
    with pytest.raises(CreatedNamespace):
        check_prune(Prune(ref, applied(), owned(), options(created_namespace=ref)))
    check_prune(Prune(ref, applied(), owned(), options(created_namespace=ref_of("Namespace", "x"))))
