"""Times as Kubernetes writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.timestamps import format_micro_time, format_time, parse_time


def test_format():
    assert format_time(1767225600.9) == "2026-01-01T00:00:00Z"
    assert format_micro_time(1767225600.25) == "2026-01-01T00:00:00.250000Z"


@given(st.integers(min_value=0, max_value=4_000_000_000))
def test_reads_back_what_it_wrote(seconds):
    assert parse_time(format_time(seconds)) == seconds
    assert parse_time(format_micro_time(seconds)) == seconds


def test_reads_an_offset():
    assert parse_time("2026-01-01T01:00:00+01:00") == 1767225600


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "yesterday"])
def test_refuses(text):
    with pytest.raises(ValueError, match=r"not a time with a zone|Invalid isoformat"):
        parse_time(text)
