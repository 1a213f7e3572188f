"""Ways to a host: straight or through a proxy, to addresses that were judged before; and the connection itself.

A host, a policy and a proxy flow in, a Route flows out; a Route flows in, a connected stream or a `SourceError` flows
out. `github_app` goes over one, and so does the program `tunnel`, which ssh runs.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Final

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.sync.v2 import Proxy as SyncProxy
from urllib3.util.ssltransport import SSLTransport

from trimtab.adapters.git.addresses import Lookup, look_up, pinned
from trimtab.adapters.git.http_tunnel import TunnelRefused, open_tunnel
from trimtab.adapters.git.memory_files import in_memory
from trimtab.core.errors import SourceError
from trimtab.source.addresses import AddressPolicy
from trimtab.source.failures import problem_of, through_proxy
from trimtab.source.proxy import Proxy

PROXY: Final = "the proxy of spec.proxySecretRef"


@dataclass(frozen=True, slots=True)
class Route:
    """Connect to `address` and `port`; with a proxy to `proxy_address` first. A certificate must hold `name`."""

    url: str
    name: str
    address: str
    port: int
    proxy: Proxy | None = None
    proxy_address: str = ""
    ca_pem: str = ""
    system_cas: bool = False
    """Trusted beside `ca_pem`; without one they are in any case."""
    certificate: str = ""
    """The client's, with `certificate_key`."""
    certificate_key: str = ""

    def __repr__(self) -> str:
        return f"Route({self.name!r}, {self.port})"

    def to_body(self) -> dict[str, Any]:
        """A JSON-like form, as secret as the proxy's password and the client's key."""
        return asdict(self)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "Route":
        """The inverse of `to_body`."""
        proxy = Proxy(**body["proxy"]) if body["proxy"] else None
        return cls(**{**body, "proxy": proxy})


def route_to(
    host: str,
    port: int,
    policy: AddressPolicy,
    *,
    url: str,
    proxy: Proxy | None = None,
    ca_pem: str = "",
    lookup: Lookup = look_up,
    what: str = "the host of spec.url",
) -> Route:
    """The way to a host. Raises SourceError: AddressRefused, HostNotFound."""
    addresses = pinned(host, port, policy, lookup=lookup, what=what, known_elsewhere=proxy is not None)
    at_proxy = pinned(proxy.host, proxy.port, policy.for_proxy, lookup=lookup, what=PROXY) if proxy else ()
    return Route(
        url=url,
        name=host,
        address=addresses[0] if addresses else host,
        port=port,
        proxy=proxy,
        proxy_address=(at_proxy[0] if at_proxy else proxy.host) if proxy else "",
        ca_pem=ca_pem,
    )


def connected(route: Route, *, tls: bool, timeout_seconds: float) -> Any:
    """A connected socket (or what behaves like one, for TLS within TLS). Raises NoRoute."""
    try:
        if route.proxy is None:
            raw = socket.create_connection((route.address, route.port), timeout_seconds)
            return _context_of(route).wrap_socket(raw) if tls else raw
        if route.proxy.scheme == "socks5":
            return _through_socks(route, route.proxy, tls=tls, timeout_seconds=timeout_seconds)
        return _through_http(route, route.proxy, tls=tls, timeout_seconds=timeout_seconds)
    except (OSError, ProxyError, ProxyConnectionError, ProxyTimeoutError, TunnelRefused) as error:
        raise NoRoute(route, _words(error)) from None


def _through_socks(route: Route, proxy: Proxy, *, tls: bool, timeout_seconds: float) -> Any:
    socks = SyncProxy(
        ProxyType.SOCKS5,
        route.proxy_address,
        proxy.port,
        username=proxy.username or None,
        password=proxy.password or None,
        rdns=True,
    )
    inner = _context_of(route) if tls else None
    return socks.connect(route.address, route.port, dest_ssl=inner, timeout=timeout_seconds).socket


def _through_http(route: Route, proxy: Proxy, *, tls: bool, timeout_seconds: float) -> Any:
    try:
        outer: Any = socket.create_connection((route.proxy_address, proxy.port), timeout_seconds)
    except OSError as error:
        raise ProxyConnectionError(error.errno, error.strerror or "timed out") from None
    try:
        if proxy.scheme == "https":
            outer = _context(proxy.ca_pem, proxy.host).wrap_socket(outer)
        open_tunnel(outer, route.address, route.port, username=proxy.username, password=proxy.password)
        if not tls:
            return outer
        inner = _context_of(route)
        return SSLTransport(outer, inner, route.name) if proxy.scheme == "https" else inner.wrap_socket(outer)
    except BaseException:
        outer.close()
        raise


class NoRoute(SourceError):
    """No connection came about; `words` say why, as git's own words would."""

    def __init__(self, route: Route, words: str) -> None:
        problem = problem_of(words, url=route.url)
        super().__init__(through_proxy(problem, route.proxy) if route.proxy else problem)
        self.words = words


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS certificate: {error.verify_message}"
    if isinstance(error, TunnelRefused):
        return "the proxy refused the credentials" if error.status == 407 else f"the proxy failed: {error}"
    if isinstance(error, ProxyError):
        refused = error.error_code == 407 or "auth" in str(error).lower()
        return "the proxy refused the credentials" if refused else f"the proxy failed: {error}"
    if isinstance(error, ProxyConnectionError):
        return f"connection to proxy failed: {error.strerror}"
    if isinstance(error, socket.gaierror):
        return "could not resolve host"
    if isinstance(error, TimeoutError):
        return "connection timed out"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    return f"connect failed: {error.strerror if isinstance(error, OSError) else type(error).__name__}"


class _NamedContext(ssl.SSLContext):
    """Checks the certificate for a name whatever address was connected to."""

    expected = ""

    def wrap_socket(self, sock: Any, *arguments: Any, **named: Any) -> Any:
        return super().wrap_socket(sock, *arguments, **{**named, "server_hostname": self.expected})

    def wrap_bio(self, *arguments: Any, **named: Any) -> Any:
        return super().wrap_bio(*arguments, **{**named, "server_hostname": self.expected})


def _context_of(route: Route) -> ssl.SSLContext:
    context = _context(route.ca_pem, route.name)
    if route.system_cas and route.ca_pem:
        context.load_default_certs()
    if route.certificate:
        with ExitStack() as stack:
            # Paths are all that the library takes; nothing lies there once it has read them.
            certificate, key = (in_memory(text, stack) for text in (route.certificate, route.certificate_key))
            context.load_cert_chain(certificate, key)
    return context


def _context(ca_pem: str, name: str) -> ssl.SSLContext:
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.expected = name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
    else:
        context.load_default_certs()
    return context
