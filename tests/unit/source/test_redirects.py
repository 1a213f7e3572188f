"""Where downloads may be led to."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.redirects import download_url, next_hop, origin


def test_origins():
    assert origin("https://A.example/x") == origin("https://a.example:443/y")
    assert origin("https://a.example") != origin("http://a.example")
    assert origin("https://a.example") != origin("https://a.example:8443")


def test_redirects_are_followed():
    assert next_hop("https://a.example/x/y", "z?q=1") == "https://a.example/x/z?q=1"
    assert next_hop("http://a.example/x", "https://b.example/y") == "https://b.example/y"


@pytest.mark.parametrize(
    "location",
    [
        "",
        "http://a.example/",
        "file:///etc/passwd",
        "ftp://a.example",
        "https://u:canary@b.example/",
        "//[::1/",
        "https://b.example:99999/",
    ],
)
def test_redirects_that_are_refused(location):
    with pytest.raises(SourceError) as refused:
        next_hop("https://a.example/x", location)
    assert refused.value.reason in ("Redirected", "InvalidURL")
    assert "canary" not in str(refused.value)


def test_charts_may_lie_anywhere():
    assert download_url("https://a.example/charts", "web-1.tgz") == "https://a.example/charts/web-1.tgz"
    assert download_url("https://a.example/charts/", "/web-1.tgz") == "https://a.example/web-1.tgz"
    assert download_url("https://a.example/charts", "https://b.example/w.tgz") == "https://b.example/w.tgz"
    with pytest.raises(SourceError):
        download_url("https://a.example", "file:///etc/passwd")
