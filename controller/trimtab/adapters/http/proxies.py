"""Connections through a proxy (http, https, socks5), which is judged like any host, as are the names that we know.

A proxy and a rule over addresses flow in, a connector for aiohttp flows out. The HTTP client makes one per session.
"""

import asyncio
import ssl
from ssl import SSLError
from typing import Any, Final

from aiohttp.client_proto import ResponseHandler
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError
from python_socks import ProxyType

from trimtab.adapters.http.pinning import AddressRule, PinnedResolver, check_literal
from trimtab.core.errors import Problem, SourceError
from trimtab.source.proxy import Proxy
from trimtab.source.url import show_url

FAILURES: Final = (ProxyError, ProxyConnectionError, ProxyTimeoutError)
_TYPES: Final = {"http": ProxyType.HTTP, "https": ProxyType.HTTP, "socks5": ProxyType.SOCKS5}
_REFUSED_LOGIN: Final = 407


class TunnelConnector(ProxyConnector):
    """Asks the proxy for a tunnel to every host, of http URLs, too."""

    def __init__(self, proxy: Proxy, rule: AddressRule, context: ssl.SSLContext) -> None:
        super().__init__(
            host=proxy.host,
            port=proxy.port,
            proxy_type=_TYPES[proxy.scheme],
            username=proxy.username or None,
            password=proxy.password or None,
            rdns=True,
            proxy_ssl=_context(proxy) if proxy.scheme == "https" else None,
            ssl=context,
        )
        self._rule = rule
        self._name = proxy.host
        self._lookup = PinnedResolver(rule)

    async def _connect_via_proxy(
        self,
        host: str,
        port: int,
        ssl: ssl.SSLContext | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        await self._judge(host, port)
        check_literal(self._name, self._rule)
        # The name may mean something else by now; a connection goes to what was judged.
        self._proxy_host = (await self._lookup.resolve(self._name, self._proxy_port))[0]["host"]
        try:
            return await super()._connect_via_proxy(host, port, ssl, timeout)
        except TypeError as error:
            # TLS within TLS of Python 3.11 stumbles over the failure that it should tell.
            if isinstance(error.__context__, SSLError):
                raise error.__context__ from None
            raise

    async def _judge(self, host: str, port: int) -> None:
        """A name that only the proxy knows is left to it."""
        check_literal(host, self._rule)
        try:
            await self._lookup.resolve(host, port)
        except OSError:
            return


def proxy_failure(url: str, proxy: Proxy, error: Exception) -> SourceError:
    """The error for a connection that a proxy did not make."""
    shown = f"{show_url(url)}: (through the proxy {proxy.shown})"
    code = getattr(error, "error_code", None)
    if code == _REFUSED_LOGIN or "auth" in str(error).lower():
        remedy = "check username and password of the Secret in spec.proxySecretRef"
        return _error(f"{shown} the proxy refused access", "ProxyAuthenticationFailed", remedy)
    remedy = "check the address in the Secret of spec.proxySecretRef, and that the proxy may reach the host of spec.url"
    return _error(f"{shown} the proxy made no connection to the server", "ProxyFailed", remedy)


class _NamedContext(ssl.SSLContext):
    """Checks the certificate for the proxy's name, whatever address was connected to."""

    expected = ""

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        return super().wrap_bio(*arguments, **{**named, "server_hostname": self.expected})


def _context(proxy: Proxy) -> ssl.SSLContext:
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.expected = proxy.host
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not proxy.ca_pem:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=proxy.ca_pem)
    except (ssl.SSLError, ValueError):
        remedy = "correct the Secret of proxySecretRef"
        raise SourceError(
            Problem("ca.crt of the proxy holds no PEM certificate", reason="SecretInvalid", remedy=remedy)
        ) from None
    return context


def _error(message: str, reason: str, remedy: str) -> SourceError:
    return SourceError(Problem(message, reason=reason, remedy=remedy, retry=True))
