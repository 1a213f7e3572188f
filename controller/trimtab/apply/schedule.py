"""Which steps may start: edges, late applies after the others, prunes after all. `apply.engine` says how they end."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from trimtab.core.refs import ObjectRef


@dataclass(eq=False, slots=True)
class _Gate:
    """Opens when so many more have succeeded; never, once one of them failed."""

    left: int
    members: list[ObjectRef] = field(default_factory=list)


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
        self._gates: dict[ObjectRef, list[_Gate]] = {}
        self._gate_of = self._build_gates(edges)
        self._ready: list[tuple[int, ObjectRef]] = []
        for ref, gate in self._gate_of.items():
            if not gate.left:
                self._push(ref)

    def _build_gates(self, edges: Mapping[ObjectRef, frozenset[ObjectRef]]) -> dict[ObjectRef, "_Gate"]:
        """One gate for all objects that wait for the same ones: thousands may wait for thousands."""
        gates: dict[frozenset[ObjectRef], _Gate] = {}
        gate_of = {}
        for ref in self._order:
            waits = edges.get(ref, frozenset())
            gate = gates.get(waits)
            if gate is None:
                bound = waits & self._open
                gate = gates[waits] = _Gate(len(bound))
                for other in bound:
                    self._gates.setdefault(other, []).append(gate)
            gate.members.append(ref)
            gate_of[ref] = gate
        return gate_of

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
        for gate in self._gates.get(ref, ()):
            gate.left -= 1
            if not gate.left:
                for dependent in gate.members:
                    if dependent in self._open:
                        self._push(dependent)

    def failed(self, ref: ObjectRef) -> list[tuple[ObjectRef, ObjectRef]]:
        """The object's step failed: all that can never start now, each with the one directly in its way."""
        self._close(ref)
        blocked = []
        front = [ref]
        while front:
            behind = front.pop()
            for gate in self._gates.get(behind, ()):
                members, gate.members = gate.members, []
                for dependent in members:
                    if dependent in self._open:
                        self._close(dependent)
                        blocked.append((dependent, behind))
                        front.append(dependent)
        return blocked

    def drop(self) -> list[ObjectRef]:
        """Give up all that have not started; they are returned in order."""
        ready = {ref for _, ref in self._ready}
        waiting = [ref for ref in self._order if ref in self._open and (ref in ready or self._gate_of[ref].left)]
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
