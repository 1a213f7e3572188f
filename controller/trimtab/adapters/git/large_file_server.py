"""The LFS side of a repository's server: where files are, by the batch API, and what they hold.

URL, credentials and policy flow in, pieces of files or a `SourceError` flow out. Runs in a worker; `large_files` calls
it. Every host is judged and connected to as judged, through the proxy where there is one; what proves who we are goes
to the repository's own host only, redirects are refused.
"""

import http.client
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlsplit

import orjson

from trimtab.adapters.git.addresses import Lookup, look_up
from trimtab.adapters.git.environment import STALL_SECONDS
from trimtab.adapters.git.opening import authorization
from trimtab.adapters.git.routes import Route, connected, route_to
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitCredentials
from trimtab.source.lfs import MEDIA_TYPE, Download, Pointer, batch_request, batch_url, downloads, refusal
from trimtab.source.submodules import same_host
from trimtab.source.url import show_url

_MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
_CONNECT_SECONDS: Final = 10.0
_PIECE_BYTES: Final = 1 << 20
_PORTS: Final = {"https": 443, "http": 80}
_IN_PATHS: Final = "!#$%&'()*+,/:;=?@[]~"
"""What stays as it is in the path and query of an address; the rest is encoded."""

_Place = tuple[str, str, int]


class LargeFileServer:
    """One per request; keeps a connection to each host until it is closed."""

    def __init__(
        self, url: str, credentials: GitCredentials, policy: AddressPolicy, *, lookup: Lookup = look_up
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._policy = policy
        self._lookup = lookup
        token = authorization(credentials)
        self._headers = {"Authorization": token} if token else {}
        self._connections: dict[_Place, _Connection] = {}

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()

    def ask(self, pointers: Sequence[Pointer]) -> list[Download]:
        """Where the files are. Raises SourceError."""
        headers = {**self._headers, "Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
        body = orjson.dumps(batch_request(pointers))
        answer = b"".join(self._send("POST", batch_url(self._url), headers, body, limit_bytes=_MAX_ANSWER_BYTES))
        try:
            return downloads(orjson.loads(answer), pointers, url=self._url)
        except orjson.JSONDecodeError:
            raise refusal(self._url, "the LFS server's answer is no JSON") from None

    def pieces(self, download: Download) -> Iterator[bytes]:
        """The content of a file; to be read to its end. Raises SourceError."""
        headers = dict(download.headers)
        given = {name.lower() for name in headers}
        if "authorization" not in given and same_host(self._url, download.url):
            headers |= self._headers
        yield from self._send("GET", download.url, headers, None, limit_bytes=download.pointer.size_bytes)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, limit_bytes: int
    ) -> Iterator[bytes]:
        connection = self._connection(url)
        whole = False
        try:
            answer = self._answer(connection, method, url, headers, body)
            self._judge(answer, url)
            read = 0
            while piece := answer.read(_PIECE_BYTES):
                yield piece
                read += len(piece)
                if read > limit_bytes:
                    return
            whole = answer.isclosed()
        # ValueError: what no request line or header can carry.
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise refusal(self._url, f"the LFS server cannot be read: {type(error).__name__}") from None
        finally:
            if not whole:
                connection.close()

    @staticmethod
    def _answer(
        connection: "_Connection", method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        """Once more where a kept connection turns out to be closed by the other side."""
        parts = urlsplit(url)
        path = quote(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", safe=_IN_PATHS)
        kept = connection.sock is not None
        try:
            connection.request(method, path, body=body, headers=headers)
            return connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            connection.close()
            if not kept:
                raise
        connection.request(method, path, body=body, headers=headers)
        return connection.getresponse()

    def _connection(self, url: str) -> "_Connection":
        parts = urlsplit(url)
        place = (parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
        if place not in self._connections:
            self._connections[place] = _Connection(
                self._route(place, own=same_host(self._url, url)), tls=place[0] == "https"
            )
        return self._connections[place]

    def _route(self, place: _Place, *, own: bool) -> Route:
        scheme, host, port = place
        given = self._credentials
        route = route_to(
            host,
            port,
            self._policy if own else self._policy.for_content,
            url=self._url if own else f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}",
            proxy=given.proxy,
            ca_pem=given.ca_pem,
            lookup=self._lookup,
            what="the host of spec.url" if own else "the host of files in LFS",
        )
        if own:
            return replace(route, certificate=given.certificate, certificate_key=given.certificate_key)
        return replace(route, system_cas=True)

    def _judge(self, answer: http.client.HTTPResponse, url: str) -> None:
        if 300 <= answer.status < 400:
            target = show_url(answer.headers.get("Location", "an URL it does not name"))
            raise refusal(
                self._url, f"the LFS server redirects to {target}, which is not followed", reason="Redirected"
            )
        if answer.status in (401, 403):
            raise refusal(self._url, "the LFS server refused access", reason="AuthenticationFailed")
        if answer.status != 200:
            raise refusal(self._url, f"the LFS server answered {show_url(url)} with {answer.status}")


class _Connection(http.client.HTTPConnection):
    """Whenever it connects, it does so over its route, and looks nothing up."""

    def __init__(self, route: Route, *, tls: bool) -> None:
        self.default_port = _PORTS["https" if tls else "http"]
        super().__init__(route.name, route.port)
        self._route = route
        self._tls = tls

    def connect(self) -> None:
        self.sock = connected(self._route, tls=self._tls, timeout_seconds=_CONNECT_SECONDS)
        self.sock.settimeout(STALL_SECONDS)
