import itertools

from hypothesis import given
from hypothesis import strategies as st

from trimtab.drift.fights import CORRECTIONS, LONGEST_WAIT_SECONDS, WINDOW_SECONDS, Fights, Opponent, wait_after


def fight(fights, *, now, rounds, path="spec.replicas", actor="hpa"):
    """An opponent who sets the field back at once; the corrections' times, and the state after."""
    times = []
    for _ in range(rounds):
        now += fights.wait_seconds(now=now)
        fights = fights.corrected(path, actor, now=now)
        times.append(now)
        now += 0.1
    return times, fights


def test_the_first_correction_waits_for_nothing():
    assert Fights().wait_seconds(now=0.0) == 0.0
    assert Fights().corrected("a", "x", now=5.0).wait_seconds(now=5.0) == 0.0


def test_a_fight_slows_down_and_never_stops_growing_slower():
    times, fights = fight(Fights(), now=0.0, rounds=CORRECTIONS + 9)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert [round(gap) for gap in gaps[:CORRECTIONS]] == [0, 0, 0, 0, 2]
    assert [round(gap) for gap in gaps[CORRECTIONS:]] == [6, 18, 54, 162, 300, 300, 300, 300]
    assert fights.opponents == {Opponent("spec.replicas", "hpa")}


def test_corrections_far_apart_are_no_fight():
    fights = Fights()
    for round_ in range(50):
        now = round_ * (WINDOW_SECONDS / (CORRECTIONS - 1) + 1)
        assert fights.wait_seconds(now=now) == 0.0
        fights = fights.corrected("a", "x", now=now)
    assert fights.opponents == frozenset()


def test_different_fields_or_managers_do_not_add_up():
    fights = Fights()
    for number in range(CORRECTIONS * 2):
        fights = fights.corrected(f"field{number}", "x", now=1.0).corrected("field", f"actor{number}", now=1.0)
    assert fights.wait_seconds(now=1.0) == 0.0


def test_several_fields_of_one_correction_are_one_round():
    fights = Fights()
    for round_ in range(CORRECTIONS):
        now = float(round_)
        fights = fights.corrected("a", "x", now=now).corrected("b", "x", now=now).corrected("c", "x", now=now)
    assert fights.level == 1
    assert fights.wait_seconds(now=float(CORRECTIONS - 1)) == wait_after(1)
    assert {opponent.path_text for opponent in fights.opponents} == {"a", "b", "c"}


def test_another_field_during_a_fight_neither_raises_nor_ends_it():
    _, fights = fight(Fights(), now=0.0, rounds=CORRECTIONS + 1)
    before = fights.level
    fights = fights.corrected("other", "y", now=fights.until_seconds + 0.1)
    assert fights.level == before
    assert fights.opponents == {Opponent("spec.replicas", "hpa")}


def test_peace_returns_after_a_calm_time():
    times, fights = fight(Fights(), now=0.0, rounds=CORRECTIONS + 3)
    later = times[-1] + WINDOW_SECONDS + 2 * wait_after(fights.level) + 1
    assert fights.wait_seconds(now=later) == 0.0
    fights = fights.corrected("spec.replicas", "hpa", now=later)
    assert (fights.level, fights.wait_seconds(now=later)) == (0, 0.0)
    assert fights.opponents == frozenset()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.floats(0, 400)), max_size=60))
def test_no_wait_is_longer_than_the_longest(steps):
    fights, now = Fights(), 0.0
    for path, actor, gap in steps:
        now += gap
        fights = fights.corrected(path, actor, now=now)
        assert 0.0 <= fights.wait_seconds(now=now) <= LONGEST_WAIT_SECONDS
        assert fights.opponents <= fights.recent.keys()
        assert bool(fights.opponents) == (fights.level > 0)


@given(st.integers(6, 400))
def test_an_endless_opponent_gets_few_corrections(rounds):
    times, _ = fight(Fights(), now=0.0, rounds=rounds)
    assert len([time for time in times if time <= 600]) <= CORRECTIONS + 6
