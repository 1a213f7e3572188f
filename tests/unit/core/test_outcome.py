"""How work ended, as data."""

from trimtab.core.outcome import Outcome, Result


def test_done_waits_for_an_event_or_a_time():
    assert Outcome.done() == Outcome(Result.SUCCESS, None)
    assert Outcome.done(again_seconds=60) == Outcome(Result.SUCCESS, 60)


def test_a_failure_is_tried_again_unless_only_a_user_can_help():
    assert Outcome.failed("no route") == Outcome(Result.FAILURE, 0.0, "no route")
    assert Outcome.failed("a typo", retry=False) == Outcome(Result.FAILURE, None, "a typo")
