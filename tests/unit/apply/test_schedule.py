from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.plan_objects import ref_of

from trimtab.apply.schedule import Schedule
from trimtab.core.refs import ObjectRef

A, B, C, D = (ref_of("ConfigMap", name) for name in "abcd")


def drain(schedule: Schedule) -> list[ObjectRef]:
    found = []
    while (ref := schedule.pop()) is not None:
        found.append(ref)
    return found


def test_what_waits_becomes_ready_when_all_it_waits_for_succeeded():
    schedule = Schedule([A, B, C], [], {C: frozenset({A, B})})
    assert drain(schedule) == [A, B]
    schedule.succeeded(A)
    assert drain(schedule) == []
    schedule.succeeded(B)
    assert drain(schedule) == [C]


def test_the_ready_start_in_the_order_of_the_plan():
    schedule = Schedule([C, A, B], [], {C: frozenset({A})})
    assert schedule.pop() == A
    schedule.succeeded(A)
    assert drain(schedule) == [C, B]


def test_a_failure_takes_down_what_waits_for_it_however_far():
    schedule = Schedule([A, B, C, D], [], {B: frozenset({A}), C: frozenset({B})})
    assert drain(schedule) == [A, D]
    assert schedule.failed(A) == [(B, A), (C, B)]
    schedule.succeeded(D)
    assert drain(schedule) == []


def test_prunes_wait_until_all_applies_have_ended_in_whatever_way():
    schedule = Schedule([A, B], [C, D], {D: frozenset({C}), B: frozenset({A})})
    assert drain(schedule) == [A]
    assert schedule.failed(A) == [(B, A)]
    assert drain(schedule) == [C]
    schedule.succeeded(C)
    assert drain(schedule) == [D]


def test_late_applies_wait_until_all_others_have_ended_in_whatever_way():
    schedule = Schedule([A, B, C], [D], {}, late=lambda ref: ref == A)
    assert drain(schedule) == [B, C]
    schedule.failed(B)
    assert drain(schedule) == []
    schedule.succeeded(C)
    assert drain(schedule) == [A]
    schedule.failed(A)
    assert drain(schedule) == [D]


def test_what_failed_before_it_started_is_not_started():
    schedule = Schedule([A, B], [], {})
    assert schedule.failed(A) == []
    assert drain(schedule) == [B]


def test_giving_up_leaves_what_runs():
    schedule = Schedule([A, B, C], [D], {C: frozenset({A})})
    assert schedule.pop() == A
    assert schedule.drop() == [B, C, D]
    schedule.succeeded(A)
    assert drain(schedule) == []
    late = Schedule([A, B, C], [D], {}, late=lambda ref: ref == B)
    assert late.drop() == [A, C, B, D]


def test_edges_to_objects_outside_the_plan_bind_nobody():
    schedule = Schedule([A], [], {A: frozenset({D})})
    assert drain(schedule) == [A]


@given(st.data())
def test_every_object_starts_once_after_all_it_waits_for_or_is_blocked(data):
    refs = [ref_of("ConfigMap", f"{number:02}") for number in range(data.draw(st.integers(1, 12)))]
    earlier = {ref: st.sets(st.sampled_from(refs[:place])) for place, ref in enumerate(refs) if place}
    edges = {ref: frozenset(data.draw(waits)) for ref, waits in earlier.items()}
    cut = data.draw(st.integers(0, len(refs)))
    order = data.draw(st.permutations(refs[:cut]))
    schedule = Schedule(order, refs[cut:], edges)
    started: list[ObjectRef] = []
    succeeded: set[ObjectRef] = set()
    blocked: set[ObjectRef] = set()
    running: list[ObjectRef] = []
    while True:
        while (ref := schedule.pop()) is not None:
            assert edges.get(ref, frozenset()) <= succeeded
            started.append(ref)
            running.append(ref)
        if not running:
            break
        ref = running.pop(data.draw(st.integers(0, len(running) - 1)))
        if data.draw(st.booleans()):
            succeeded.add(ref)
            schedule.succeeded(ref)
        else:
            blocked |= {dependent for dependent, _ in schedule.failed(ref)}
    assert len(started) == len(set(started))
    assert set(started) | blocked == set(refs)
    assert not set(started) & blocked


def test_thousands_that_wait_for_thousands_are_not_counted_pair_by_pair():
    first = [ref_of("Deployment", f"new-{n}") for n in range(3000)]
    then = [ref_of("ConfigMap", f"old-{n}") for n in range(3000)]
    waits = frozenset(first)
    schedule = Schedule(first, then, dict.fromkeys(then, waits))
    assert len(drain(schedule)) == 3000
    assert {len(gates) for gates in schedule._gates.values()} == {1}
    for ref in first[1:]:
        schedule.succeeded(ref)
    assert schedule.pop() is None
    assert len(schedule.failed(first[0])) == 3000
