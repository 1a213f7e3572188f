"""Durations as text and as seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("0s", 0), ("1.5h", 5400), ("90s", 90), ("1m0.5s", 60.5)],
)
def test_parse(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "5d", "1m\n", "1us", "٣s"])
def test_refuses(text):
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(300, "5m"), (5400, "1h30m"), (0.5, "500ms"), (0, "0s"), (3600, "1h"), (61.001, "1m1s1ms")]
)
def test_format(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=10**10))
def test_reads_back_what_it_wrote(millis):
    assert round(parse_duration(format_duration(millis / 1000)) * 1000) == millis
