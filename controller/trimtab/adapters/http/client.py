"""One conversation with a web server: requests with bounded answers, redirects that never take credentials along.

The registry client and the chart repositories open a `WebClient` for each piece of work, on the downloads' loop.
Nothing of the environment counts: no proxy variables, no .netrc, no cookies.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from types import TracebackType
from typing import IO, Self

import aiohttp
from yarl import URL

from trimtab.adapters.http.failures import connection_failure, digest_differs, status_failure, too_large
from trimtab.adapters.http.pinning import AddressRule, PinnedResolver, check_literal
from trimtab.adapters.http.proxies import FAILURES, TunnelConnector, proxy_failure
from trimtab.adapters.http.tls import foreign_context, own_context
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports.downloads import Access
from trimtab.source.failures import through_proxy
from trimtab.source.redirects import MAX_REDIRECTS, next_hop, origin
from trimtab.source.url import show_url

_CHUNK = 64 * 1024
_CONNECT_SECONDS = 10.0
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """A bounded answer. `headers` by lower-case name; `url` is where it came from in the end."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class WebClient:
    """Requests to one declared host and to where it leads. An async context manager; raises SourceError throughout."""

    def __init__(self, url: str, access: Access, rule: AddressRule) -> None:
        self._home = origin(url)
        self._access = access
        self._rule = rule
        self._stack = AsyncExitStack()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        authorization: str = "",
        limit: int,
        expected: tuple[int, ...] = (200,),
    ) -> Answer:
        """The whole answer, of at most `limit` bytes. Statuses beside the expected ones are errors."""
        async with self._open(url, method, headers or {}, authorization, expected) as (response, final):
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > limit:
                    raise too_large(final, limit)
            told = {name.lower(): value for name, value in response.headers.items()}
            return Answer(final, response.status, told, bytes(body))

    async def save(self, url: str, target: IO[bytes], *, authorization: str, limit: int, digest: str = "") -> str:
        """Write a file of at most `limit` bytes and the given digest (if any) to `target`; its digest."""
        sum_of = sha256()
        size = 0
        async with self._open(url, "GET", {}, authorization, (200,)) as (response, final):
            async for chunk in response.content.iter_chunked(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise too_large(final, limit)
                sum_of.update(chunk)
                target.write(chunk)
            found = f"sha256:{sum_of.hexdigest()}"
            if digest and found != digest:
                raise digest_differs(final, digest)
            return found

    @asynccontextmanager
    async def _open(
        self, url: str, method: str, headers: Mapping[str, str], authorization: str, expected: tuple[int, ...]
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, str]]:
        start = origin(url)
        for _ in range(MAX_REDIRECTS + 1):
            # Once it left its host a request stays without credentials, even where it is led back.
            authorization = authorization if origin(url) == start else ""
            async with self._request(url, method, headers, authorization) as response:
                if response.status in _REDIRECTS:
                    url = next_hop(url, response.headers.get("Location", ""))
                    continue
                if response.status not in expected:
                    raise status_failure(url, response.status)
                if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
                    message = f"{show_url(url)}: the server compresses though it was asked not to"
                    raise SourceError(Problem(message, reason="ServerError", remedy="correct the server", retry=True))
                yield response, url
                return
        message = f"{show_url(url)}: more than {MAX_REDIRECTS} redirects"
        raise SourceError(Problem(message, reason="Redirected", remedy="correct the server", retry=True))

    @asynccontextmanager
    async def _request(
        self, url: str, method: str, headers: Mapping[str, str], authorization: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        scheme, host, _ = origin(url)
        check_literal(host, self._rule)
        told = {"Accept-Encoding": "identity", "User-Agent": "trimtab", **headers}
        if authorization:
            told["Authorization"] = authorization
        proxy = self._access.proxy
        session = await self._session(own=(scheme, host, origin(url)[2]) == self._home)
        try:
            async with session.request(method, URL(url, encoded=True), headers=told, allow_redirects=False) as response:
                yield response
        except SourceError:
            raise
        except FAILURES as error:
            assert proxy is not None
            raise proxy_failure(url, proxy, error) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, SourceError):
                raise error.__cause__ from None
            failure = connection_failure(url, error)
            if proxy is not None:
                failure = SourceError(*(through_proxy(each, proxy) for each in failure.problems))
            raise failure from None

    async def _session(self, *, own: bool) -> aiohttp.ClientSession:
        """Our certificate is shown to the declared host only, so that others get a session of their own."""
        if own not in self._sessions:
            context = own_context(self._access) if own else foreign_context(self._access)
            session = aiohttp.ClientSession(
                connector=self._connector(context),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            )
            self._sessions[own] = await self._stack.enter_async_context(session)
        return self._sessions[own]

    def _connector(self, context: ssl.SSLContext) -> aiohttp.BaseConnector:
        if self._access.proxy is not None:
            return TunnelConnector(self._access.proxy, self._rule, context)
        return aiohttp.TCPConnector(ssl=context, resolver=PinnedResolver(self._rule), use_dns_cache=False)


def basic(username: str, password: str) -> str:
    """The header's value for a user name and password; empty without a user name."""
    return aiohttp.encode_basic_auth(username, password) if username else ""
