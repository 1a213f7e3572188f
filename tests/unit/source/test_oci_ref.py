"""The tag that a range stands for."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.oci_ref import choose_tag

TAGS = ["latest", "1.0.0", "1.1.0-rc.1", "1.1.0-debian", "2.0.0"]


def test_a_range_chooses_the_highest():
    assert choose_tag(TAGS, "1.x") == "1.0.0"
    assert choose_tag(TAGS, ">=1.0.0-0", r"-debian$") == "1.1.0-debian"


@pytest.mark.parametrize(
    ("semver", "expression", "reason"),
    [
        ("3.x", "", "RefNotFound"),
        ("1.x", "nothing", "RefNotFound"),
        ("x.y", "", "InvalidRef"),
        ("1.x", "(", "InvalidRef"),
    ],
)
def test_what_chooses_nothing_says_why(semver, expression, reason):
    with pytest.raises(SourceError) as refused:
        choose_tag(TAGS, semver, expression)
    assert refused.value.reason == reason


def test_no_expression_takes_long():
    with pytest.raises(SourceError):
        choose_tag(["a" * 127 + "!"] * 100, "*", "(a+)+$")
