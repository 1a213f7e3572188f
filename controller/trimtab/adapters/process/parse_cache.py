"""Parsed documents by the hash of their text, as JSON bytes: after a commit only what changed meets the YAML parser.

The renderer owns one. JSON is a tenth of the memory that dicts take, reads back at once, and can be shared by nobody.
"""

from collections import OrderedDict
from threading import Lock


class ParseCache:
    """Keeps the most recently used values within `limit_bytes`; used from several threads."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = Lock()
        self.size_bytes = 0

    def get(self, key: bytes) -> bytes | None:
        """What was kept under the key, or None."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value, and forget the least recently used ones beyond the limit; larger ones are not kept at all."""
        if len(value) > self._limit_bytes:
            return
        # A copy: what the JSON library returns keeps the whole buffer that it was written to, 8 KiB for 600 bytes.
        copy = bytes(memoryview(value))
        with self._lock:
            self.size_bytes += len(value) - len(self._kept.pop(key, b""))
            self._kept[key] = copy
            while self.size_bytes > self._limit_bytes:
                _, forgotten = self._kept.popitem(last=False)
                self.size_bytes -= len(forgotten)
