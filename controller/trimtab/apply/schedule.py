"""Which steps may start: edges, late applies after the others, prunes after all. `apply.engine` says how they end."""

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

from trimtab.core.refs import ObjectRef


class Schedule:
    """Objects in their order; each becomes ready once all that it waits for have succeeded.

    The applies `late` in addition wait until every other apply has ended, in whatever way, and prunes until every apply
    has.
    """

    def __init__(
        self,
        applies: Iterable[ObjectRef],
        prunes: Iterable[ObjectRef],
        edges: Mapping[ObjectRef, frozenset[ObjectRef]],
        *,
        late: Callable[[ObjectRef], bool] = lambda _ref: False,
    ) -> None:
        phases = _phases(applies, prunes, late)
        self._order = {ref: place for place, ref in enumerate(ref for phase in phases for ref in phase)}
        self._phase = {ref: number for number, phase in enumerate(phases) for ref in phase}
        self._unfinished = [len(phase) for phase in phases]
        self._open = set(self._order)
        bound = {ref: edges.get(ref, frozenset()) & self._open for ref in self._order}
        self._left = {ref: len(waits) for ref, waits in bound.items()}
        self._dependents: dict[ObjectRef, list[ObjectRef]] = {}
        for ref, waits in bound.items():
            for other in waits:
                self._dependents.setdefault(other, []).append(ref)
        self._ready: list[tuple[int, ObjectRef]] = []
        for ref, count in self._left.items():
            if not count:
                self._push(ref)

    def pop(self) -> ObjectRef | None:
        """The next object that may start, None while there is none."""
        while self._ready and self._ready[0][1] not in self._open:
            heappop(self._ready)
        if not self._ready or any(self._unfinished[: self._phase[self._ready[0][1]]]):
            return None
        return heappop(self._ready)[1]

    def succeeded(self, ref: ObjectRef) -> None:
        """The object's step succeeded: those that waited for it alone become ready."""
        self._close(ref)
        for dependent in self._dependents.get(ref, ()):
            if dependent in self._open:
                self._left[dependent] -= 1
                if not self._left[dependent]:
                    self._push(dependent)

    def failed(self, ref: ObjectRef) -> list[tuple[ObjectRef, ObjectRef]]:
        """The object's step failed: all that can never start now, each with the one directly in its way."""
        self._close(ref)
        blocked = []
        front = [ref]
        while front:
            behind = front.pop()
            for dependent in self._dependents.get(behind, ()):
                if dependent in self._open:
                    self._close(dependent)
                    blocked.append((dependent, behind))
                    front.append(dependent)
        return blocked

    def drop(self) -> list[ObjectRef]:
        """Give up all that have not started; they are returned in order."""
        ready = {ref for _, ref in self._ready}
        waiting = [ref for ref in self._order if ref in self._open and (ref in ready or self._left[ref])]
        for ref in waiting:
            self._close(ref)
        self._ready.clear()
        return waiting

    def _push(self, ref: ObjectRef) -> None:
        heappush(self._ready, (self._order[ref], ref))

    def _close(self, ref: ObjectRef) -> None:
        if ref in self._open:
            self._open.discard(ref)
            self._unfinished[self._phase[ref]] -= 1


def _phases(
    applies: Iterable[ObjectRef], prunes: Iterable[ObjectRef], late: Callable[[ObjectRef], bool]
) -> tuple[list[ObjectRef], ...]:
    listed = list(applies)
    return [ref for ref in listed if not late(ref)], [ref for ref in listed if late(ref)], list(prunes)
