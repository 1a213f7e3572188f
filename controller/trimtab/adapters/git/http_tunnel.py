"""A tunnel through an HTTP proxy: CONNECT is asked for on a connection to it, which then belongs to the host behind.

`routes` hands the connection in. The answer is read byte by byte, for behind it may already stand what the host says
first, as ssh's servers do, and no byte of that may be taken.
"""

import base64
from typing import Any, Final

_END: Final = b"\r\n\r\n"
_MOST_BYTES: Final = 16 * 1024


class TunnelRefused(Exception):
    """The proxy answered something else than success; `status` is 0 where it was no answer of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def open_tunnel(connection: Any, host: str, port: int, *, username: str, password: str) -> None:
    """Ask for a tunnel to a host. Raises TunnelRefused, OSError."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if username or password:
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {token}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    status, text = _status(_head(connection))
    if not 200 <= status < 300:
        raise TunnelRefused(status, text)


def _head(connection: Any) -> bytes:
    head = bytearray()
    while not head.endswith(_END):
        byte = connection.recv(1)
        if not byte or len(head) >= _MOST_BYTES:
            raise TunnelRefused(0, "the answer of the proxy broke off" if not byte else "the answer has no end")
        head += byte
    return bytes(head)


def _status(head: bytes) -> tuple[int, str]:
    """Code and words of the first line."""
    version, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not code.isdecimal():
        raise TunnelRefused(0, "the answer is not HTTP")
    return int(code), rest
