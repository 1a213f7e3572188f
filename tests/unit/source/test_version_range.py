"""Ranges of versions: the grammar, what each operator means, and when pre-releases count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.version_range import VersionRange, version_of
from trimtab.source.versions import Version

# range, versions inside, versions outside
TABLE = [
    ("1.2.3", "1.2.3 1.2.3+build", "1.2.4 1.2.3-rc.1"),
    ("=1.2.3", "1.2.3", "1.2.2"),
    ("v1.2.3", "1.2.3", "1.2.4"),
    ("1.2", "1.2.0 1.2.9", "1.3.0 1.1.9 1.2.5-rc"),
    ("1", "1.0.0 1.9.9", "2.0.0 0.9.0"),
    ("1.x", "1.0.0 1.9.9", "2.0.0"),
    ("1.2.X", "1.2.7", "1.3.0"),
    ("*", "0.0.1 9.9.9", "1.0.0-rc"),
    ("x", "3.0.0", "3.0.0-rc"),
    ("*-0", "3.0.0 3.0.0-rc", ""),
    ("!=1.2.3", "1.2.4 0.1.0", "1.2.3 2.0.0-rc"),
    ("!=1.2", "1.3.0 2.2.0", "1.2.0 1.2.9"),
    ("!=1.2-rc", "1.2.0", "1.2.0-rc"),
    ("!=1", "2.0.0", "1.0.0 1.9.0"),
    ("!=*", "1.0.0", "0.0.0"),
    (">1.2.3", "1.2.4 2.0.0", "1.2.3 1.0.0 2.0.0-rc"),
    (">1.2", "1.3.0", "1.2.9 1.2.0"),
    (">1", "2.0.0", "1.9.9"),
    (">*", "0.0.1", "0.0.0"),
    (">=1.2", "1.2.0 9.0.0", "1.1.9"),
    ("=>1.2.0", "1.2.0", "1.1.9"),
    ("<1.2.3", "1.2.2 0.1.0", "1.2.3 1.2.3-rc"),
    ("<2", "1.9.9", "2.0.0"),
    ("<1.2.x", "1.1.9", "1.2.0"),
    ("<=1.2.3", "1.2.3 1.0.0", "1.2.4"),
    ("<=1.2", "1.2.9 0.9.0", "1.3.0 2.0.0"),
    ("=<1", "1.9.9", "2.0.0"),
    ("<=*", "0.0.0", "1.0.0"),
    ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
    ("~>1.2.3", "1.2.9", "1.3.0"),
    ("~1.2", "1.2.0 1.2.9", "1.3.0"),
    ("~1", "1.0.0 1.9.0", "2.0.0"),
    ("~*", "1.0.0 2.0.0", ""),
    ("~0.0.0", "5.1.2", ""),
    ("^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"),
    ("^1", "1.9.0", "2.0.0"),
    ("^0.2.3", "0.2.9", "0.3.0 0.2.2 1.0.0"),
    ("^0.2", "0.2.9", "0.3.0"),
    ("^0.0.3", "0.0.3", "0.0.4 0.1.0"),
    ("^0.0", "0.0.9", "0.1.0"),
    ("^0", "0.9.0", "1.0.0"),
    ("^*", "0.0.0", "0.0.1 7.0.0"),
    (">=1.2 <2", "1.2.0 1.9.9", "2.0.0 1.1.0"),
    (">= 1.2, < 2", "1.2.0", "2.0.0"),
    (">=1.2,<2,!=1.5.0", "1.4.9", "1.5.0"),
    ("1.x || >=3.1", "1.5.0 3.1.0", "2.0.0 3.0.9"),
    ("1.2 - 1.4", "1.2.0 1.4.9", "1.1.9 1.5.0"),
    ("1.2.0 - 1.4.5 || 2.0.0 - 2.0.1", "1.4.5 2.0.1", "1.4.6 2.0.2"),
    # A pre-release counts where a term of the same alternative names one.
    (">=1.0.0-0 <2", "1.5.0-rc.1 1.0.0-alpha 1.9.0", "2.0.0"),
    (">=1.0.0-0 <2 || >=3", "1.5.0-rc.1 3.0.0", "3.1.0-rc"),
    ("~1.2.0-beta.2", "1.2.0-beta.10 1.2.3-alpha 1.2.0", "1.2.0-beta.1 1.3.0-beta.3"),
    ("^1.2.0-beta.2", "1.9.0-alpha 1.2.0-rc", "1.2.0-alpha 2.0.0"),
    (">1.0.0-rc.1", "1.0.0-rc.2 1.0.0", "1.0.0-rc.1"),
    ("<=1.1-a", "0.1.0-alpha", "1.2.0"),
]


@pytest.mark.parametrize(("text", "inside", "outside"), TABLE, ids=[row[0] for row in TABLE])
def test_what_a_range_allows(text, inside, outside):
    found = VersionRange.parse(text)
    assert [each for each in inside.split() if not found.highest([each])] == []
    assert [each for each in outside.split() if found.highest([each])] == []


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "latest", ">=", ">= one", "1.2.3.4", "1.2.3 ||", "|| 1", "1.2,", ",1", "1.2 -", "^^1", "><1",
        "12.3.34~ 1.2.3", "1 2x", "v", "1.2.3-", "1.2.3-a..b", ">=1.0.0\n", "1||" * 40 + "1", "1" * 600, "9" * 30,
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused(text):
    with pytest.raises(SourceError) as caught:
        VersionRange.parse(text)
    assert caught.value.reason == "InvalidRef"
    assert "ref.semver" in str(caught.value)
    assert ">=1.2.0 <2.0.0" in caught.value.problems[0].remedy


@pytest.mark.parametrize(
    ("tags", "highest"),
    [
        (["v1.2.0", "v1.10.0", "v1.9.0"], "v1.10.0"),
        (["1.0.0", "v1.1.0"], "v1.1.0"),
        (["latest", "1.2", "v1", "V1.0.0", "release-1.0.0", "1.0.0.0"], ""),
        (["v1.0.0-rc.1"], ""),
        (["v1.0.0+2", "v1.0.0+1", "v1.0.0+10"], "v1.0.0+2"),
        (["v1.0.0", "1.0.0"], "v1.0.0"),
        (["1.0.0" + "0" * 5000, "1." + "9" * 200 + ".0", "1.01.0", "1.0.0-01"], ""),
        ([], ""),
    ],
)
def test_the_highest_wins_and_tags_that_are_no_versions_are_passed_over(tags, highest):
    assert VersionRange.parse("*").highest(tags) == highest
    assert VersionRange.parse("*").highest(tags[::-1]) == highest


numbers = st.integers(0, 3)
tails = st.sampled_from(["", "-0", "-alpha", "-alpha.1", "-rc.10"])
versions = st.builds(lambda *parts: Version.parse("{}.{}.{}{}".format(*parts)), numbers, numbers, numbers, tails)


@given(st.lists(versions, max_size=8), versions)
def test_the_highest_is_allowed_and_none_allowed_is_above(some, bound):
    found = VersionRange.parse(f">={bound}")
    highest = found.highest([f"v{each}" for each in some])
    allowed = [each for each in some if found.highest([str(each)])]
    assert (highest == "") == (not allowed)
    if highest:
        found_version = version_of(highest)
        assert found_version is not None
        assert found_version.key == max(each.key for each in allowed)


@given(st.text(max_size=30))
def test_any_text_is_a_range_or_refused(text):
    try:
        found = VersionRange.parse(text)
    except SourceError:
        return
    assert found.highest(["1.0.0"]) in ("1.0.0", "")
