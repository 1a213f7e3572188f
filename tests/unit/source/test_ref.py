"""Refs: the mapping as declared becomes one wanted ref, or a refusal that says what to write."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.ref import Branch, Commit, DefaultBranch, Name, Semver, Tag, check_ref_name, check_sha, wanted_ref

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("ref", "wanted"),
    [
        ({}, DefaultBranch()),
        ({"branch": ""}, DefaultBranch()),
        ({"branch": "main"}, Branch("main")),
        ({"branch": "feature/ä-1"}, Branch("feature/ä-1")),
        ({"tag": "v1.2.3"}, Tag("v1.2.3")),
        ({"semver": ">=1.2 <2"}, Semver(">=1.2 <2")),
        ({"name": "refs/pull/420/head"}, Name("refs/pull/420/head")),
        ({"commit": SHA}, Commit(SHA)),
        ({"commit": SHA.upper(), "branch": "main"}, Commit(SHA, "main")),
        ({"commit": "a" * 64}, Commit("a" * 64)),
    ],
)
def test_each_kind_of_ref_is_read(ref, wanted):
    assert wanted_ref(ref) == wanted


@pytest.mark.parametrize(
    "ref",
    [
        {"semver": ">= one"},
        {"semver": ">=1", "tag": "v1"},
        {"semver": ">=1", "branch": "main"},
        {"name": "main"},
        {"name": "refs/heads"},
        {"name": "refs/heads/a..b"},
        {"name": "refs/heads/main", "commit": SHA},
        {"tagPrefix": "v"},
        {"tag": "v1", "branch": "main"},
        {"tag": "v1", "commit": SHA},
        {"commit": "abc123"},
        {"commit": SHA + "0"},
        {"commit": f"{SHA}\n"},
        {"commit": "-" + SHA[1:]},
        {"commit": SHA, "branch": "a..b"},
    ],
)
def test_what_cannot_be_resolved_is_refused(ref):
    with pytest.raises(SourceError) as caught:
        wanted_ref(ref)
    assert caught.value.reason == "InvalidRef"
    assert caught.value.problems[0].remedy
    assert not caught.value.retry


@pytest.mark.parametrize(
    "name",
    [
        "@", "-x", "--upload-pack=x", "a b", "a\tb", "a\nb", "a\x7f", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b",
        "a..b", "a@{1}", "a.", "/a", "a/", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "x" * 256, "a\u200bb",
    ],
)  # fmt: skip
def test_names_that_git_would_refuse_or_misread_are_refused(name):
    with pytest.raises(SourceError):
        check_ref_name(name, field="branch")


@pytest.mark.parametrize("name", ["main", "a@b", "a.b", "v1.0-rc.1", "@x", "a-", "x{y}", "release/2026.1", "lock"])
def test_ordinary_names_pass(name):
    assert check_ref_name(name, field="tag") == name


def test_urls_follow_from_the_kind():
    assert Branch("a").remote_ref == "refs/heads/a"
    assert Tag("a").remote_ref == "refs/tags/a"
    assert Name("refs/pull/1/head").remote_ref == "refs/pull/1/head"
    assert Semver("1.x").range.highest(["1.2.0", "2.0.0"]) == "1.2.0"


@pytest.mark.parametrize(
    ("name", "short"),
    [("refs/heads/a/b", "a/b"), ("refs/tags/v1", "v1"), ("refs/pull/1/head", "refs/pull/1/head")],
)
def test_revisions_show_branches_and_tags_in_short(name, short):
    assert Name(name).short == short


@given(st.text(max_size=30))
def test_an_accepted_name_is_safe_as_an_argument(name):
    try:
        accepted = check_ref_name(name, field="branch")
    except SourceError:
        return
    assert accepted == name
    assert not accepted.startswith("-")
    assert accepted.isprintable()
    assert not set(accepted) & set(" ~^:?*[\\\n\0")


@given(st.text(alphabet=string.hexdigits, min_size=40, max_size=40))
def test_any_full_sha_is_one(sha):
    assert check_sha(sha) == sha.lower()
