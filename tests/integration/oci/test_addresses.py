"""Downloads from loopback, in every spelling that a resolver or a browser would take for it."""

import pytest
from tests.fixtures.web_server import Page, WebServer

from trimtab.adapters.http.client import WebClient
from trimtab.adapters.http.pinning import within
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports.downloads import NO_ACCESS
from trimtab.source.addresses import ANYWHERE, AddressPolicy

SHORT = ["127.1", "127.0.1", "2130706433", "0", "0177.0.0.1", "127.0.0.1."]
"""Forms that the HTTP library takes for addresses, and refuses as such before anybody is asked for their meaning."""


@pytest.mark.parametrize(
    "host",
    [
        *SHORT,
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "0x7f000001",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::7f00:1]",
    ],
)
async def test_loopback_is_refused_in_every_spelling(web: WebServer, host: str) -> None:
    web.routes["/"] = Page(b"secret")
    url = web.url.replace("127.0.0.1", host)
    async with WebClient(url, NO_ACCESS, within(AddressPolicy())) as client:
        with pytest.raises(SourceError) as caught:
            await client.ask(url, limit=100)
    assert web.asked == []
    assert caught.value.reason == ("InvalidURL" if host in SHORT else "AddressRefused")
    assert caught.value.problems[0].remedy


@pytest.mark.parametrize("host", SHORT)
async def test_short_forms_are_refused_even_where_every_address_is_allowed(web: WebServer, host: str) -> None:
    web.routes["/"] = Page(b"secret")
    url = web.url.replace("127.0.0.1", host)
    async with WebClient(url, NO_ACCESS, within(ANYWHERE)) as client:
        with pytest.raises(SourceError):
            await client.ask(url, limit=100)
    assert web.asked == []
