"""Revisions and their text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.revision import Revision

shas = st.from_regex(r"[0-9a-f]{40}|[0-9a-f]{64}", fullmatch=True)
ref_names = st.from_regex(r"[a-z0-9/@._-]{0,20}", fullmatch=True)


@given(st.builds(Revision, ref_names, shas))
def test_the_text_leads_back(revision):
    assert Revision.parse(str(revision)) == revision


def test_the_text():
    assert str(Revision("main", "a" * 40)) == f"main@sha1:{'a' * 40}"
    assert str(Revision("", "b" * 64)) == f"sha256:{'b' * 64}"
    assert Revision.parse(f"user@home@sha1:{'c' * 40}") == Revision("user@home", "c" * 40)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "main",
        "main@abc",
        "main@sha1:--output=x",
        "main@sha1:abc",
        "x@sha256:" + "a" * 40,
        "main@md5:abc",
        f"main:sha1:{'a' * 40}",
    ],
)
def test_what_is_no_revision_is_refused(text):
    with pytest.raises(ValueError, match="not a revision"):
        Revision.parse(text)
