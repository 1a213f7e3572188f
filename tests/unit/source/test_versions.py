"""Ranges of versions: the table of Masterminds' documentation, and rules that hold for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.source.versions import MAX_LENGTH, Range, Version, newest

numbers = st.integers(min_value=0, max_value=12)
releases = st.tuples(numbers, numbers, numbers).map(lambda found: ".".join(map(str, found)))


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        ("*", ["0.0.0", "1.2.3"], ["1.0.0-rc.1"]),
        ("1.2.3", ["1.2.3", "v1.2.3", "1.2.3+build"], ["1.2.4", "1.2.3-rc.1"]),
        ("=1.2.3", ["1.2.3"], ["1.2.4"]),
        ("!=1.2.3", ["1.2.4"], ["1.2.3"]),
        ("!=1.2", ["1.3.0", "2.2.0"], ["1.2.0", "1.2.9"]),
        ("!=1", ["2.0.0"], ["1.0.0", "1.9.0"]),
        ("!=x", ["1.0.0"], ["0.0.0"]),
        (">1.2", ["1.3.0", "2.0.0"], ["1.2.9", "1.1.0"]),
        (">1", ["2.0.0"], ["1.9.9"]),
        (">1.2.3", ["1.2.4"], ["1.2.3"]),
        ("<1.2", ["1.1.9"], ["1.2.0"]),
        (">=1.2 <2", ["1.2.0", "1.9.9"], ["2.0.0", "1.1.0"]),
        (">=1.2, <2", ["1.5.0"], ["2.0.0"]),
        ("=>1.2,<2", ["1.5.0"], ["2.0.0"]),
        ("<=1.2", ["1.2.9", "0.1.0"], ["1.3.0"]),
        ("=<1.2.3", ["1.2.3"], ["1.2.4"]),
        ("<=x", ["0.0.9"], ["0.1.0"]),
        ("1.2 - 1.4.5", ["1.2.0", "1.4.5"], ["1.4.6", "1.1.9"]),
        ("1.x || >=3.0.0 <4", ["1.9.0", "3.5.0"], ["2.0.0", "4.0.0"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.9.0"], ["2.0.0"]),
        ("~>1.2", ["1.2.9"], ["1.3.0"]),
        ("~0.0.0", ["5.0.0"], []),
        ("1.2.x", ["1.2.9"], ["1.3.0"]),
        ("^1.2.3", ["1.2.3", "1.9.0"], ["2.0.0", "1.2.2"]),
        ("^0.2.3", ["0.2.9"], ["0.3.0", "1.0.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0.0", ["0.0.9"], ["0.1.0"]),
        ("^0", ["0.9.9"], ["1.0.0"]),
        (">=1.2.3-beta", ["1.2.3-beta.2", "1.2.3", "2.0.0-alpha"], ["1.2.3-alpha"]),
        (">=1.2.3-beta <2", ["1.9.0-alpha"], ["2.0.0"]),
        ("^1.2-rc.1", ["1.2.0-rc.2", "1.3.0"], ["1.2.0-beta"]),
        ("!=1.2-beta", ["1.2.0"], ["1.2.5-beta"]),
    ],
)
def test_ranges(range_, inside, outside):
    within = Range.parse(range_)
    assert [text for text in inside if not within.holds(Version.parse(text))] == []
    assert [text for text in outside if within.holds(Version.parse(text))] == []


@pytest.mark.parametrize(
    "text", ["", " ", "1.2.3.4", "abc", ">", "1.2 -", ">=1.2||", "1.2;3", "^^1", "1" * 300, ">1<2"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match="not a range"):
        Range.parse(text)


@pytest.mark.parametrize(
    "text", ["", "x", "1.2.3.4", "1.2.3-01", "1..2", f"{2**64}.0.0", "1.2.3\n", "1" * (MAX_LENGTH + 1)]
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="not a semantic version"):
        Version.parse(text)


def test_the_order_is_that_of_semantic_versions():
    texts = ["1.0.0-1", "1.0.0-2", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.1", "1.0.0", "1.0.1"]
    assert sorted(set(texts), key=lambda text: Version.parse(text).key) == texts
    assert str(Version.parse("v1.2")) == "v1.2"


def test_the_newest_is_told_as_it_is_written_and_junk_is_passed_over():
    tags = ["latest", "v1.2.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "sha256-abc.sig", "1.10.0+b"]
    assert newest(Range.parse("1.x"), tags) == "1.10.0+b"
    assert newest(Range.parse("<1.9"), tags) == "v1.2.0"
    assert newest(Range.parse(">=3"), tags) is None


@given(releases, releases)
def test_a_comparison_and_its_opposite_never_agree(one, other):
    version = Version.parse(one)
    assert Range.parse(f">={other}").holds(version) != Range.parse(f"<{other}").holds(version)
    assert Range.parse(f">{other}").holds(version) != Range.parse(f"<={other}").holds(version)
    assert Range.parse(f"={other}").holds(version) != Range.parse(f"!={other}").holds(version)


@given(st.text(alphabet="0123456789.xX*<>=!~^|-, vab", max_size=30))
def test_no_text_does_more_than_be_refused(text):
    try:
        found = Range.parse(text)
    except ValueError:
        return
    assert found.holds(Version.parse("1.2.3")) in (True, False)
