"""The view of what other Applications hold."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.inventory import Entry, Intended
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.plan.ownership import Owner
from trimtab.reconcile.holdings import Holdings
from trimtab.reconcile.state import AppState

REFS = [ObjectRef(LOCAL_CLUSTER, "", "ConfigMap", "shop", name) for name in "abcdef"]


def state(name: str, held: set[ObjectRef] | None) -> AppState:
    inventory: dict[ObjectRef, Entry] | None = None if held is None else {ref: Intended("v1") for ref in held}
    return AppState(Owner("trimtab-system", name, f"uid-{name}"), 0, inventory=inventory)


@given(st.lists(st.none() | st.sets(st.sampled_from(REFS)), min_size=1, max_size=5))
def test_it_is_the_union_of_all_inventories_but_ones_own(held: list[set[ObjectRef] | None]) -> None:
    states = {number: state(str(number), refs) for number, refs in enumerate(held)}
    view = Holdings(states.values(), states[0])
    union = set().union(*(refs or () for refs in held[1:]))
    assert set(view) == union
    assert len(view) == len(union)
    for ref in REFS:
        owner = view.get(ref)
        assert (owner is not None) == (ref in union)
        assert owner is None or ref in (states[int(owner.name)].inventory or ())


def test_it_shows_what_is_so_when_it_is_asked() -> None:
    mine, other = state("mine", set()), state("other", set())
    view = Holdings({1: mine, 2: other}.values(), mine)
    assert REFS[0] not in view
    other.inventory = {REFS[0]: Intended("v1")}
    assert view[REFS[0]] == other.owner
