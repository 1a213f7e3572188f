"""Cuts a stream of bytes into lines of any length.

Chunks as the network gives them flow in; whole lines flow out. The watches feed it, one for each stream.
"""

from collections.abc import Iterator


class LineBuffer:
    """Holds the unfinished last line as chunks, so that a line of megabytes is joined once and searched once."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that this chunk completes, without their newline, empty ones left out."""
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            if self._rest:
                self._rest.append(part)
                part = b"".join(self._rest)  # noqa: PLW2901 - the line begins in earlier chunks
                self._rest.clear()
            if part:
                yield part
        if rest:
            self._rest.append(rest)
