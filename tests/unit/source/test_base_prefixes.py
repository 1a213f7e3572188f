"""Where remote bases may come from: a prefix allows what lies below it, and nothing that only looks so."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.base_prefixes import allowed, check_prefix

ORG = "https://git.example.org/team"


@pytest.mark.parametrize(
    "url",
    [ORG, f"{ORG}/app", f"{ORG}/app.git", f"{ORG}/sub/app", "https://GIT.example.org:443/team/app", f"{ORG}//app"],
)
@pytest.mark.parametrize("prefix", [ORG, f"{ORG}/", "https://git.example.org", "https://git.example.org/te%61m"])
def test_what_lies_below_a_prefix(url, prefix):
    assert allowed(url, ["https://other.example.org", prefix])


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org.evil/team/app",
        "https://git.example.orgevil/team/app",
        "https://evil/https://git.example.org/team",
        "https://git.example.org/teams/app",
        "https://git.example.org/Team/app",
        "https://git.example.org/te",
        "https://git.example.org/x/team/app",
        "https://git.example.org:8443/team/app",
        "http://git.example.org/team/app",
        "ssh://git@git.example.org/team/app",
        f"{ORG}/../other/app",
        f"{ORG}/%2e%2e/other/app",
        f"{ORG}/..%2fother",
    ],
)
def test_what_only_looks_so(url):
    assert not allowed(url, [ORG])


def test_the_user_counts_with_ssh():
    assert allowed("ssh://git@h/a/b", ["ssh://git@h/a"])
    assert allowed("ssh://h/a/b", ["ssh://git@h:22/a"])
    assert not allowed("ssh://ada@h/a/b", ["ssh://git@h/a"])


@pytest.mark.parametrize(
    "prefix", ["", "https://", "h/a", "https://u:p@h", "https://h/../a", "https://h?x", "*", "git@h:a"]
)
def test_what_is_no_prefix_allows_nothing(prefix):
    with pytest.raises(SourceError):
        check_prefix(prefix)
    assert not allowed("https://h/a", [prefix])


def test_nothing_allows_nothing():
    assert not allowed("https://h/a", [])


names = st.text(string.ascii_letters + string.digits + "._-~", min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
paths = st.lists(names, max_size=4)


@given(prefix=paths, path=paths)
def test_a_prefix_ends_where_a_part_does(prefix, path):
    base, url = (f"https://h/{'/'.join(each)}" for each in (prefix, path))
    assert allowed(url, [base]) == (path[: len(prefix)] == prefix)
