import pytest
from tests.fakes.plan_objects import options

from trimtab.plan.guards.empty_desired import EverythingGone, check


def test_a_revision_that_declares_nothing_does_not_delete_everything():
    with pytest.raises(EverythingGone, match=r"trimtab\.dev/confirm: abc"):
        check(options(), declared=0, candidates=7, digest="abc")


def test_a_confirmation_of_another_plan_does_not_count():
    with pytest.raises(EverythingGone):
        check(options(confirmed="old"), declared=0, candidates=7, digest="abc")


@pytest.mark.parametrize(
    ("confirmed", "declared", "candidates"),
    [("abc", 0, 7), ("", 1, 7), ("", 0, 0)],
    ids=["confirmed", "something is declared", "nothing to lose"],
)
def test_passes(confirmed, declared, candidates):
    check(options(confirmed=confirmed), declared=declared, candidates=candidates, digest="abc")
