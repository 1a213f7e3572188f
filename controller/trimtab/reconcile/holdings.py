"""Which other Application holds an object: the inventories of all of them, seen from one.

The Application's reconciler makes it for each plan, and plans ask it about the few objects that they concern. It is a
view: making it costs nothing, whatever all Applications hold together.
"""

from collections.abc import Iterator, Mapping, ValuesView

from trimtab.core.refs import ObjectRef
from trimtab.plan.ownership import Owner
from trimtab.reconcile.state import AppState


class Holdings(Mapping[ObjectRef, Owner]):
    """Object → owner, of every Application but one. Lives for one turn, on the event loop."""

    def __init__(self, states: ValuesView[AppState], of: AppState) -> None:
        self._states = states
        self._of = of

    def __getitem__(self, ref: ObjectRef) -> Owner:
        for state in self._others():
            if ref in (state.inventory or ()):
                return state.owner
        raise KeyError(ref)

    def __iter__(self) -> Iterator[ObjectRef]:
        seen: set[ObjectRef] = set()
        for state in self._others():
            for ref in state.inventory or ():
                if ref not in seen:
                    seen.add(ref)
                    yield ref

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _others(self) -> Iterator[AppState]:
        return (state for state in self._states if state is not self._of)
