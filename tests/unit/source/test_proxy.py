"""Proxies: what their Secrets may say, and that nothing of it shows."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.proxy import Proxy, check_proxy


@pytest.mark.parametrize(
    ("address", "host", "port", "shown"),
    [
        ("http://proxy.example.org:3128", "proxy.example.org", 3128, "http://proxy.example.org:3128"),
        ("http://proxy.example.org", "proxy.example.org", 80, "http://proxy.example.org:80"),
        ("https://10.0.0.1/", "10.0.0.1", 443, "https://10.0.0.1:443"),
        ("socks5://[::1]", "::1", 1080, "socks5://[::1]:1080"),
    ],
)
def test_where_it_is(address, host, port, shown):
    proxy = Proxy(address, "squid", "canary")
    check_proxy(proxy)
    assert (proxy.host, proxy.port, proxy.shown) == (host, port, shown)
    assert "canary" not in repr(proxy)


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        (Proxy("http://u:canary@p:1"), "holds credentials"),
        (Proxy("ftp://canary"), "malformed"),
        (Proxy("canary:3128"), "malformed"),
        (Proxy("http://canary:3128/path"), "malformed"),
        (Proxy("http://canary:99999"), "malformed"),
        (Proxy("http://-canary"), "malformed"),
        (Proxy("http://canary\n"), "malformed"),
        (Proxy("http://p", "u", "canary\r\n"), "password"),
        (Proxy("http://p", "canary\n", "x"), "username"),
        (Proxy("http://p", "canary:x", "x"), "colon"),
        (Proxy("http://p", "u", "canary" * 50), "255"),
        (Proxy("http://p", "", "canary"), "without a username"),
    ],
)
def test_what_is_malformed_is_refused_without_its_value(proxy, words):
    with pytest.raises(SourceError) as caught:
        check_proxy(proxy)
    assert caught.value.reason == "InvalidProxy"
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_malformed_one_has_no_host():
    assert Proxy("ftp://x").host == ""
