"""What is said now, merged with what was said before."""

import pytest

from trimtab.api.model import Condition, ConditionStatus
from trimtab.report.conditions import (
    MESSAGE_CHARACTERS,
    failing,
    false,
    merge,
    progressing,
    shorten,
    true,
    unknown,
)

T0, T1 = 1767225600.0, 1767225660.7


def summary(conditions: tuple[Condition, ...]) -> list[tuple[str, str, str]]:
    return [(each.type, each.status.value, each.reason) for each in conditions]


def test_first_time():
    (condition,) = merge((), [true("Ready", "Applied", "applied it")], generation=3, now_seconds=T0)
    assert condition == Condition(
        type="Ready",
        status=ConditionStatus.TRUE,
        observed_generation=3,
        last_transition_time="2026-01-01T00:00:00Z",
        reason="Applied",
        message="applied it",
    )


def test_same_status_keeps_its_time_whatever_else_changes():
    old = merge((), [true("Ready", "Applied", "first")], generation=1, now_seconds=T0)
    (new,) = merge(old, [true("Ready", "Suspended", "second")], generation=2, now_seconds=T1)
    assert new.last_transition_time == "2026-01-01T00:00:00Z"
    assert (new.reason, new.message, new.observed_generation) == ("Suspended", "second", 2)


@pytest.mark.parametrize("say", [false, unknown])
def test_other_status_takes_the_time(say):
    old = merge((), [true("Ready", "Applied", "first")], generation=1, now_seconds=T0)
    (new,) = merge(old, [say("Ready", "Other", "second")], generation=1, now_seconds=T1)
    assert new.last_transition_time == "2026-01-01T00:01:00Z"


def test_what_is_no_longer_said_goes():
    old = merge((), progressing("Applying", "at it"), generation=1, now_seconds=T0)
    assert summary(old) == [("Ready", "Unknown", "Applying"), ("Reconciling", "True", "Applying")]
    new = merge(old, [true("Ready", "Applied", "done")], generation=1, now_seconds=T1)
    assert summary(new) == [("Ready", "True", "Applied")]


def test_failures_are_retried_or_stalled():
    retried = merge((), failing("FetchFailed", "no route", retry=True), generation=1, now_seconds=T0)
    assert summary(retried) == [("Ready", "False", "FetchFailed"), ("Reconciling", "True", "Retrying")]
    final = merge((), failing("InvalidPath", "no such folder", retry=False), generation=1, now_seconds=T0)
    assert summary(final) == [("Ready", "False", "InvalidPath"), ("Stalled", "True", "InvalidPath")]


def test_long_messages_are_cut():
    (condition,) = merge((), [true("Ready", "Applied", "x" * 40_000)], generation=1, now_seconds=T0)
    assert len(condition.message) == MESSAGE_CHARACTERS
    assert condition.message.endswith("…")
    assert shorten("abc", characters=3) == "abc"
