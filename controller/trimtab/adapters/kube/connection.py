"""Requests to one API server.

A `Request` flows in; parsed JSON, or a stream of bytes, flows out, every failure as `ApiError`. All other modules of
this package talk to the server through it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from trimtab.adapters.kube.access import Access, AccessError
from trimtab.adapters.kube.jitter import longer
from trimtab.adapters.kube.refusals import is_overload, refusal
from trimtab.core.api_error import ApiError

log = logging.getLogger(__name__)

JSON: Final = "application/json"
TRIES: Final = 3
_PATH_SAFE: Final = "/:@!$&'()*+,;=~-._"
_QUERY_SAFE: Final = "/:@!$'()*,;~-._"
_LONGEST_PAUSE_SECONDS: Final = 30.0

OnRequest = Callable[[str, str, int, float], None]
"""Called after each answer with verb, resource (plural), status code (0: none came) and seconds taken."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is unquoted, under the server's root; `query` encoded; `body` a JSON-like value."""

    method: str
    path: str
    query: str = ""
    body: Any = None
    content_type: str = JSON
    accept: str = JSON
    verb: str = ""
    resource: str = ""


def encode_query(params: Mapping[str, str]) -> str:
    """Parameters as a `Request`'s query."""
    return urlencode(params, safe=_QUERY_SAFE)


class Connection:
    """A pool of connections to one API server, shared by everything that talks to it."""

    def __init__(
        self,
        access: Access,
        *,
        max_in_flight: int = 48,
        timeout_seconds: float = 30.0,
        on_request: OnRequest | None = None,
    ) -> None:
        self._access = access
        self._slots = asyncio.Semaphore(max_in_flight)
        self._limits = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(10.0, timeout_seconds))
        self._timeout_seconds = timeout_seconds
        self._on_request = on_request
        self._session: aiohttp.ClientSession | None = None
        self._paused_until = 0.0
        self._renewed_at = float("-inf")

    @property
    def host(self) -> str:
        """The server's root URL."""
        return self._access.host

    @property
    def namespace(self) -> str:
        """The namespace that we stand in ourselves."""
        return self._access.namespace

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, request: Request) -> Any:
        """Send a request and parse the answer's JSON. Raises ApiError.

        Waits while as many requests as allowed are in flight, and while the server pushes back on everyone; what it
        pushes back itself is sent again, three times in all.
        """
        tries = TRIES
        while True:
            async with self._slots:
                await self._wait_for_server()
                status, raw, headers = await self._exchange(request)
                if status == 401 and await self._renew():
                    status, raw, headers = await self._exchange(request)
            if status < 300:
                return orjson.loads(raw) if raw else {}
            error = self._refused(request, status, raw, headers)
            # What was pushed back was not begun, whatever the verb: 429 also comes from a type that just appeared.
            tries -= 1
            if status != 429 or not tries:
                raise error
            await asyncio.sleep(longer(min(error.retry_after_seconds or 1.0, _LONGEST_PAUSE_SECONDS)))

    @asynccontextmanager
    async def stream(self, request: Request, *, idle_seconds: float) -> AsyncIterator[aiohttp.StreamReader]:
        """Open a long answer. Raises ApiError, also where nothing at all came for `idle_seconds` while it is read."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=idle_seconds)
        await self._wait_for_server()
        started = time.monotonic()
        try:
            with self._failures(request, self._timeout_seconds):
                # Streams are silent for long, but begin at once.
                async with asyncio.timeout(self._timeout_seconds):
                    opened = await self._open(request, limits)
        except ApiError:
            self._count(request, 0, started)
            raise
        self._count(request, opened.status, started)
        with self._failures(request, idle_seconds):
            async with opened as response:
                if response.status >= 300:
                    raw = await response.read()
                    if response.status == 401:
                        await self._renew()
                    raise self._refused(request, response.status, raw, response.headers)
                yield response.content

    async def _exchange(self, request: Request) -> tuple[int, bytes, Mapping[str, str]]:
        started = time.monotonic()
        try:
            with self._failures(request, self._timeout_seconds):
                async with await self._open(request, self._limits) as response:
                    raw = await response.read()
        except ApiError:
            self._count(request, 0, started)
            raise
        self._count(request, response.status, started)
        return response.status, raw, response.headers

    async def _open(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = self._access.open_session()
        headers = {"Accept": request.accept}
        authorization = await self._access.authorization()
        if authorization is not None:
            headers["Authorization"] = authorization
        data = None
        if request.body is not None:
            headers["Content-Type"] = request.content_type
            data = _encode(request)
        return await self._session.request(
            request.method,
            _url(self._access.host, request),
            data=data,
            headers=headers,
            timeout=limits,
            allow_redirects=False,
            server_hostname=self._access.server_hostname,
        )

    def _failures(self, request: Request, seconds: float) -> "_Failures":
        return _Failures(self._access.host, request, seconds)

    def _refused(self, request: Request, status: int, raw: bytes, headers: Mapping[str, str]) -> ApiError:
        secret = request.resource == "secrets" or "/secrets" in request.path
        error = refusal(status, raw, headers=headers, sent=request.body, secret=secret)
        if is_overload(status, raw):
            pause_seconds = min(error.retry_after_seconds or 1.0, _LONGEST_PAUSE_SECONDS)
            self._paused_until = max(self._paused_until, time.monotonic() + pause_seconds)
        return error

    async def _wait_for_server(self) -> None:
        seconds = self._paused_until - time.monotonic()
        if seconds > 0:
            # Spread, so that all who waited do not storm at once.
            await asyncio.sleep(longer(seconds))

    async def _renew(self) -> bool:
        """Read the credentials again, once in ten seconds at most; whether it was done."""
        now = time.monotonic()
        if now - self._renewed_at < 10:
            return False
        self._renewed_at = now
        try:
            await self._access.renew()
        except AccessError as error:
            log.warning("the credentials were refused, and cannot be read again: %s", error)
            return False
        return True

    def _count(self, request: Request, status: int, started: float) -> None:
        if self._on_request is not None:
            verb = request.verb or request.method.lower()
            self._on_request(verb, request.resource, status, time.monotonic() - started)


class _Failures:
    """Turns what the HTTP library raises inside into ApiError with status 0."""

    __slots__ = ("_host", "_request", "_seconds")

    def __init__(self, host: str, request: Request, seconds: float) -> None:
        self._host = host
        self._request = request
        self._seconds = seconds

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TimeoutError):
            what = f"{self._host} gave no answer within {self._seconds:g} s"
            raise ApiError(0, "Timeout", f"{self._request.method} {self._request.path}: {what}") from None
        if isinstance(error, aiohttp.ClientError | OSError):
            reason = str(error) or type(error).__name__
            raise ApiError(0, "Unreachable", f"{self._host} cannot be reached: {reason}") from None


def _encode(request: Request) -> bytes:
    try:
        return orjson.dumps(request.body)
    except orjson.JSONEncodeError as error:
        # Numbers beyond 64 bits, for one; no answer would ever come of it, so it reads like the server's refusal.
        raise ApiError(422, "Invalid", f"cannot be written as JSON: {error}") from None


def _url(host: str, request: Request) -> URL:
    url = host + quote(request.path, safe=_PATH_SAFE)
    if request.query:
        url += "?" + request.query
    return URL(url, encoded=True)
