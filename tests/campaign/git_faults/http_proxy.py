"""The proxy for git's smart HTTP: it understands requests as far as telling the phases apart.

Requests are passed on to the real server; its answer is known in full before the first byte of it leaves, so that a
strike hits the byte it is meant for. With a TLS context it ends TLS itself.
"""

import gzip
import http.client
import socket
import ssl
from dataclasses import dataclass
from random import Random
from typing import BinaryIO

from tests.campaign.git_faults.proxy import FOREIGN_ANSWER, GitProxy, end
from tests.campaign.git_faults.strikes import STATUSES, Fault, Phase, Strike

_PASSED_ON = ("Accept", "Authorization", "Content-Encoding", "Content-Type", "Git-Protocol", "User-Agent")
_PACK_LINE = b"000dpackfile\n"


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes

    def asks(self, word: bytes) -> bool:
        body = gzip.decompress(self.body) if self.headers.get("Content-Encoding") == "gzip" else self.body
        return word in body


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    kind: str
    challenge: str
    body: bytes

    def head(self, length: int) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever", f"Content-Type: {self.kind}", f"Content-Length: {length}"]
        lines += [f"WWW-Authenticate: {self.challenge}"] if self.challenge else []
        return "\r\n".join([*lines, "Cache-Control: no-cache", "", ""]).encode()


class HttpProxy(GitProxy):
    """Before a git server on loopback."""

    def __init__(self, upstream_port: int, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(upstream_port)
        self._tls = tls
        self._refs_told = False

    def begin(self, strike: Strike) -> None:
        """From now on, strike."""
        self._refs_told = False
        super().begin(strike)

    def serve(self, client: socket.socket) -> None:
        """Requests until either side has enough."""
        if self.strike and self.strike.fault is Fault.FOREIGN:
            self.struck += 1
            client.recv(65536)
            client.sendall(FOREIGN_ANSWER)
            end(client)
            return
        if self._tls is None:
            self._serve_requests(client)
            return
        with self._tls.wrap_socket(client, server_side=True) as wrapped:
            self._serve_requests(wrapped)

    def _serve_requests(self, client: socket.socket) -> None:
        with client.makefile("rb") as stream:
            while (request := _read(stream)) is not None:
                answer = self._ask(request)
                strike, spans = self.strike, self._spans(request, answer)
                if strike is None or strike.phase not in spans:
                    client.sendall(answer.head(len(answer.body)) + answer.body)
                    continue
                self.struck += 1
                self._break(client, request, answer, strike, spans[strike.phase])
                return

    def _ask(self, request: _Request) -> _Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=60)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        kind, challenge = answer.headers.get("Content-Type", ""), answer.headers.get("WWW-Authenticate", "")
        try:
            return _Answer(answer.status, kind, challenge, answer.read())
        finally:
            connection.close()

    def _spans(self, request: _Request, answer: _Answer) -> dict[Phase, tuple[int, int]]:
        """The phases of which bytes of the body are part, with their first and the one behind their last."""
        everything = (0, len(answer.body))
        if request.method == "GET":
            again, self._refs_told = self._refs_told, False
            return {Phase.INFO_AGAIN if again else Phase.INFO: everything}
        if request.asks(b"command=ls-refs"):
            self._refs_told = True
            return {Phase.REFS: everything}
        if request.asks(b"filter tree:0"):
            # What follows is part of the same fetch, and begins with another question.
            self._refs_told = True
            return {Phase.HISTORY: everything}
        pack = answer.body.find(_PACK_LINE)
        if pack < 0:
            return {Phase.NEGOTIATION: everything}
        return {Phase.NEGOTIATION: (0, pack + len(_PACK_LINE)), Phase.PACK: (pack + len(_PACK_LINE), len(answer.body))}

    def _break(
        self, client: socket.socket, request: _Request, answer: _Answer, strike: Strike, span: tuple[int, int]
    ) -> None:
        body, whole = answer.body, len(answer.body)
        at = span[0] + int(strike.share * (span[1] - span[0]))
        if strike.fault in STATUSES:
            # As careless as servers can be.
            told = f"refused, given {request.headers.get('Authorization', 'nothing')}\n".encode()
            challenge = 'Basic realm="x"' if strike.fault is Fault.STATUS_401 else ""
            refusal = _Answer(int(strike.fault), "text/plain", challenge, told)
            client.sendall(refusal.head(len(told)) + told)
            end(client)
        elif strike.fault is Fault.DAMAGED:
            at = min(at, whole - 30)
            damaged = body[:at] + bytes(byte ^ 0x15 for byte in body[at : at + 8]) + body[at + 8 :]
            client.sendall(answer.head(whole) + damaged)
            end(client)
        elif strike.fault is Fault.GARBAGE:
            client.sendall(answer.head(whole) + body[:at] + Random(strike.noise).randbytes(whole - at))
            end(client)
        elif strike.fault in (Fault.TRUNCATED, Fault.LENGTH_SHORT):
            # Short in both cases; where the length is wrong, the bytes come all the same.
            client.sendall(answer.head(at) + (body[:at] if strike.fault is Fault.TRUNCATED else body))
            end(client)
        elif strike.fault in (Fault.LENGTH_STAYS, Fault.LENGTH_ENDS):
            client.sendall(answer.head(whole + 1 + strike.noise % 1000) + body)
            self.break_off(client, b"", strike)
        else:
            head = answer.head(whole)
            client.sendall(head + body[:at])
            self.break_off(client, body[at:], strike)


def _read(stream: BinaryIO) -> _Request | None:
    line = stream.readline(65536).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = http.client.parse_headers(stream)
    if headers.get("Transfer-Encoding", "").lower() != "chunked":
        return _Request(line[0], line[1], headers, stream.read(int(headers.get("Content-Length") or 0)))
    body = b""
    while size := int(stream.readline(32).strip() or b"0", 16):
        body += stream.read(size)
        stream.readline(8)
    stream.readline(8)
    return _Request(line[0], line[1], headers, body)
