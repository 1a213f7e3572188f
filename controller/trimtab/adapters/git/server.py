"""A Git server on loopback over `git http-backend`, for the demo and for tests; nothing to put on a network.

Bare repositories below one folder flow in, clones and fetches (smart HTTP, protocol v0 to v2) flow out. The demo and
the test fixtures start it in their own process; each connection is a thread.
"""

import base64
import contextlib
import hmac
import os
import shutil
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, Final, Self
from urllib.parse import unquote, urlsplit

from trimtab.core.errors import Problem, SourceError

_CHUNK_BYTES: Final = 65536
_MAX_REQUEST_BYTES: Final = 64 * 1024 * 1024


class GitHandler(BaseHTTPRequestHandler):
    """One connection: asks for basic auth where the server has credentials, then runs the CGI program.

    Tests derive from it: `intercept` may answer in its stead, `body_chunk` sees every piece of an answer's body.
    """

    protocol_version = "HTTP/1.1"
    server: "_Listener"
    timeout = 60
    # Head and body leave in separate writes: without it each answer waits for a delayed acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Reference advertisement and files."""
        self._serve()

    def do_POST(self) -> None:
        """upload-pack requests."""
        self._serve()

    def intercept(self) -> bool:
        """Whether this request has been answered already; here never."""
        return False

    def body_chunk(self, chunk: bytes) -> bytes:
        """The piece of a body to send in place of `chunk`; here itself."""
        return chunk

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Silence: the terminal belongs to the demo."""

    def refuse(self, status: int, *, headers: dict[str, str] | None = None) -> None:
        """Answer with an empty body."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _serve(self) -> None:
        try:
            body = self._request_body()
            if self.intercept():
                return
            if not self._authorized():
                self.refuse(401, headers={"WWW-Authenticate": 'Basic realm="trimtab"'})
                return
            self._run_backend(body)
        except (BrokenPipeError, ConnectionResetError, TimeoutError, ssl.SSLError):
            self.close_connection = True

    def _authorized(self) -> bool:
        wanted = self.server.authorization
        given = self.headers.get("Authorization", "")
        return not wanted or hmac.compare_digest(given.encode(), wanted.encode())

    def _request_body(self) -> bytes:
        """The whole body; git sends long ones chunked."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MAX_REQUEST_BYTES))
        body = bytearray()
        while size := int(self.rfile.readline(32).strip() or b"0", 16):
            if len(body) + size > _MAX_REQUEST_BYTES:
                self.close_connection = True
                break
            body += self.rfile.read(size)
            self.rfile.readline(8)
        else:
            self.rfile.readline(8)
        return bytes(body)

    def _run_backend(self, body: bytes) -> None:
        process = subprocess.Popen(
            [self.server.git, "http-backend"],
            env=self.server.environment | self._cgi_variables(body),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        # The program may answer before it has read all, so that writing here and reading later would block both.
        writer = threading.Thread(target=_feed, args=(process.stdin, body), daemon=True)
        writer.start()
        try:
            self._relay(process.stdout)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
            writer.join()

    def _cgi_variables(self, body: bytes) -> dict[str, str]:
        parts = urlsplit(self.path)
        variables = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1",
        }
        for header, variable in (("Content-Encoding", "HTTP_CONTENT_ENCODING"), ("Git-Protocol", "GIT_PROTOCOL")):
            if value := self.headers.get(header):
                variables[variable] = value
        return variables

    def _relay(self, output: IO[bytes]) -> None:
        """Turn the CGI program's head and body into the answer."""
        status, headers = 200, []
        while line := output.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        if not headers:
            self.refuse(500)
            return
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while chunk := output.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]
            shown = self.body_chunk(chunk)
            if shown:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(shown), shown))
        self.wfile.write(b"0\r\n\r\n")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    # Threads of clients that were killed mid-request end by the handler's own time-out; nobody waits for them.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, handler: type[GitHandler], port: int) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.authorization = ""
        self.environment: dict[str, str] = {}
        self.git = ""
        self.tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The TLS handshake belongs to the connection's thread: a silent client must not hold up the others."""
        if self.tls:
            request.settimeout(GitHandler.timeout)
            try:
                request = self.tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
                request.do_handshake()
            except (OSError, ValueError):
                _end_refused(request)
                return
        try:
            super().finish_request(request, client_address)
        finally:
            if self.tls:
                request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that vanish are no news."""


class GitServer:
    """Serves every bare repository below `root` at `<url>/<path>`; with `username` set, behind basic auth.

    `tls` makes it an HTTPS server with that context. `port` 0 takes a free one. Use it as a context manager, or call
    `start` and `stop`.
    """

    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        username: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        handler: type[GitHandler] = GitHandler,
    ) -> None:
        self.root = root
        self._port = port
        self._handler = handler
        self._tls = tls
        self._authorization = ""
        if username:
            self._authorization = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end. Only while it runs."""
        assert self._listener is not None, "the server is not running"
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._listener.server_port}"

    def start(self) -> None:
        """Listen, unless it does. Raises SourceError (GitMissing) where there is no git, OSError on a taken port."""
        if self._listener is not None:
            return
        git = shutil.which("git")
        if git is None:
            raise SourceError(Problem("git was not found", reason="GitMissing", remedy="install git 2.36 or newer"))
        listener = _Listener(self._handler, self._port)
        self._port = listener.server_port
        listener.git = git
        listener.tls = self._tls
        listener.authorization = self._authorization
        listener.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_PROJECT_ROOT": str(self.root.resolve()),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "HOME": "/dev/null",
        }
        self._listener = listener
        self._thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True, name="git-server")
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; a later `start` listens on the same port again."""
        if self._listener is None or self._thread is None:
            return
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()
        self._listener = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _end_refused(connection: socket.socket) -> None:
    """End so that the client reads why: closing with its bytes unread would reset the connection before."""
    with contextlib.suppress(OSError):
        connection.settimeout(2)
        connection.shutdown(socket.SHUT_WR)
        # The bytes as they came: there is no TLS to unpack.
        while socket.socket.recv(connection, _CHUNK_BYTES):
            pass
    connection.close()


def _feed(stream: IO[bytes], body: bytes) -> None:
    try:
        stream.write(body)
        stream.close()
    except (BrokenPipeError, ValueError):
        return
