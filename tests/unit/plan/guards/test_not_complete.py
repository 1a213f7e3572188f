import pytest
from tests.fakes.plan_objects import options

from trimtab.plan.guards.not_complete import DesiredIncomplete, check


def test_an_incomplete_desired_state_prunes_nothing():
    with pytest.raises(DesiredIncomplete, match=r"3 object\(s\) may only seem to be gone"):
        check(options(complete=False), candidates=3)


@pytest.mark.parametrize(("complete", "candidates"), [(True, 3), (False, 0)])
def test_passes(complete, candidates):
    check(options(complete=complete), candidates=candidates)
