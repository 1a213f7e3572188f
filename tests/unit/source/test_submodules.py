"""Addresses of submodules: resolved as git does, kept to hosts and protocols that are allowed."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.submodules import Submodule, same_host, submodule_url

PARENT = "https://git.example.org/team/app.git"


def resolved(url: str, parent: str = PARENT) -> str:
    return submodule_url(parent, Submodule("lib", url, "1" * 40))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://other.example.org/x.git", "https://other.example.org/x.git"),
        ("../lib.git", "https://git.example.org/team/lib.git"),
        ("../../other/lib", "https://git.example.org/other/lib"),
        ("./inner.git", "https://git.example.org/team/app.git/inner.git"),
        ("..//lib/.", "https://git.example.org/team/lib"),
        ("../../lib", "https://git.example.org/lib"),
    ],
)
def test_urls_are_resolved_against_the_parent(url: str, expected: str) -> None:
    assert resolved(url) == expected
    assert resolved(url, PARENT + "/") == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc",
        "ext::sh -c id",
        "/etc/x",
        "-x",
        "git://h/x",
        "../../../x",
        "https://u:hunter2@h/x",
        "../a b",
        "C:\\x",
    ],
)
def test_others_are_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        resolved(url)
    (problem,) = caught.value.problems
    assert problem.reason == "SubmoduleRefused"
    assert str(problem.origin) == ".gitmodules"
    assert problem.remedy
    assert "hunter2" not in str(problem)


def test_credentials_belong_to_scheme_host_and_port() -> None:
    assert same_host(PARENT, "https://GIT.example.org:443/x")
    assert same_host("http://h:8080/a", "http://h:8080/b")
    for other in ("http://git.example.org/x", "https://git.example.org:8443/x", "https://example.org/x"):
        assert not same_host(PARENT, other)
