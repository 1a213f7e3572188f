"""A TCP proxy before a git server that strikes as it is told: what the proxies for HTTP and SSH have in common.

A `Strike` flows in by `begin` and ends by `end`; `struck` counts what it has met since. Each connection is a thread.
"""

import contextlib
import select
import socket
import struct
import threading
from abc import ABC, abstractmethod
from random import Random

from tests.campaign.git_faults.strikes import Fault, Strike

_DRIP_BYTES = 3
_DRIP_SECONDS = 0.5
FOREIGN_ANSWER = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 12\r\nConnection: close\r\n\r\nBad request\n"


class GitProxy(ABC):
    """Listens on a free port of loopback from the first `open` on; the port stays the same."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.port = 0
        self.strike: Strike | None = None
        self.struck = 0
        self._calm = threading.Event()
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Listen, unless it does."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections."""
        if self._listener is not None:
            # Without it, the thread in `accept` keeps the port open.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def begin(self, strike: Strike) -> None:
        """From now on, strike."""
        self.struck = 0
        self._calm = threading.Event()
        self.strike = strike
        if strike.fault is Fault.REFUSED:
            self.close()
            self.struck = 1

    def end(self) -> None:
        """From now on all is well; who is being stalled is cut off."""
        self.strike = None
        self._calm.set()
        self.open()

    @abstractmethod
    def serve(self, client: socket.socket) -> None:
        """One connection."""

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, ValueError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(30)
            self.serve(client)

    def break_off(self, client: socket.socket, rest: bytes, strike: Strike) -> None:
        """What becomes of the bytes that would come next, and of the connection; the caller closes it."""
        match strike.fault:
            case Fault.CUT:
                # A reset in place of an end.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Fault.STALL | Fault.LENGTH_STAYS:
                self._wait(client, 120)
            case Fault.DRIP:
                for start in range(0, len(rest), _DRIP_BYTES):
                    client.sendall(rest[start : start + _DRIP_BYTES])
                    if self._wait(client, _DRIP_SECONDS):
                        return
            case Fault.GARBAGE:
                client.sendall(Random(strike.noise).randbytes(max(len(rest), 64)))
                end(client)
            case _:
                end(client)

    def _wait(self, client: socket.socket, seconds: float) -> bool:
        """Until the fault ends, which tells True, the client goes, which does too, or the time is over."""
        calm = self._calm
        for _ in range(max(1, round(seconds / 0.1))):
            if calm.wait(0.1) or (select.select([client], [], [], 0)[0] and not _peek(client)):
                return True
        return False


def end(client: socket.socket) -> None:
    """Say that nothing follows, and read until the other side has understood: no reset must overtake the bytes."""
    with contextlib.suppress(OSError):
        client.settimeout(2)
        client.shutdown(socket.SHUT_WR)
        while socket.socket.recv(client, 65536):
            pass


def _peek(client: socket.socket) -> bytes:
    """Below TLS, if there is any."""
    return socket.socket.recv(client, 1, socket.MSG_PEEK)
