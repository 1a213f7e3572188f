"""Which URLs what was declared for one holds for: the path below it at the same place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.source.declared_urls import shared


@pytest.mark.parametrize(
    ("declared", "wanted", "steps"),
    [
        ("https://charts.example", "https://charts.example", 1),
        ("https://charts.example/", "https://charts.example/team", 1),
        ("https://charts.example/team", "https://charts.example/team/", 2),
        ("https://charts.example:443/team", "HTTPS://Charts.Example./team/web", 2),
        ("http://charts.example:80", "http://charts.example", 1),
        ("http://127.0.0.1:8080/a/b", "http://127.0.0.1:8080/a/b/c", 3),
        ("https://[fd00::1]:8443/a", "https://[fd00::1]:8443/a", 2),
        ("oci://registry.example/charts", "oci://registry.example/charts/lib", 2),
        ("oci://docker.io/team", "oci://registry-1.docker.io/team/lib", 2),
    ],
)
def test_it_holds_at_and_below_the_path(declared, wanted, steps):
    assert shared(declared, wanted) == steps


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ("https://charts.example/team", "https://charts.example/teams"),
        ("https://charts.example/team", "https://charts.example"),
        ("https://charts.example", "http://charts.example"),
        ("https://charts.example", "https://charts.example:8443"),
        ("https://charts.example", "https://charts.example.evil.example"),
        ("https://charts.example", "https://evil.example/charts.example"),
        ("https://charts.example", "https://charts.example@evil.example"),
        ("https://charts.example", "https://evil.example\\@charts.example"),
        ("https://charts.example/a", "https://charts.example/a/../b"),
        ("https://charts.example/a", "https://charts.example/a/%2e%2e/b"),
        ("https://charts.example/a", "https://charts.example/a//b"),
        ("https://charts.example/a", "https://charts.example/a/."),
        ("https://charts.example/a", "https://charts.example/a?b"),
        ("https://charts.example/a", "https://charts.example/a#b"),
        ("https://charts.example", "https://charts.example:"),
        ("https://charts.example", "https://charts.example:0"),
        ("https://charts.example", "https://charts.example:99999"),
        ("https://charts.example", "https://charts.exämple"),
        ("https://charts.example", "https://charts.example/ä"),
        ("https://charts.example", "file://charts.example/a"),
        ("https://charts.example", "@charts"),
        ("https://", "https://"),
        ("https://[fd00::1", "https://[fd00::1"),
        ("", ""),
    ],
)
def test_it_holds_nowhere_else(declared, wanted):
    assert shared(declared, wanted) == 0


@given(st.text(max_size=60))
def test_what_follows_a_host_never_makes_it_another(text):
    """Whatever is put behind the host is a path below it, or shares nothing."""
    if shared("https://charts.example", f"https://charts.example{text}"):
        assert not text or text.startswith(("/", ":443", "."))
