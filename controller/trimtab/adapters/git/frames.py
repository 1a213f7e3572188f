"""Messages between the main process and a worker: JSON behind a length, on a stream socket.

Plain values flow in and out. The worker reads and writes blocking through here; `worker_pool` does so from asyncio.
"""

import json
import socket
import struct
from typing import Any, Final

HEADER: Final = struct.Struct("!I")
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024


def encode(message: dict[str, Any]) -> bytes:
    """A message with its length in front."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> dict[str, Any]:
    """The inverse of `encode`, without the length. Raises ValueError where it is no JSON object."""
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")  # noqa: TRY004 - a fault of the data, as json's own are
    return message


def read(connection: socket.socket) -> dict[str, Any] | None:
    """The next message, None where the other side has closed. Raises ValueError on a length that nobody sends."""
    head = _exactly(connection, HEADER.size)
    if head is None:
        return None
    (size,) = HEADER.unpack(head)
    if size > MAX_FRAME_BYTES:
        raise ValueError(f"a message of {size} bytes")
    body = _exactly(connection, size)
    return None if body is None else decode(body)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return bytes(data)
