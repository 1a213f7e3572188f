"""Sees every open, read, write and new file in places where nobody has any business, whoever it is and by what mount.

Linux' inotify tells of accesses by all processes, which times of files (relatime) would not. It needs no rights.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_ACCESS, _MODIFY, _ATTRIB, _CLOSE_WRITE = 0x1, 0x2, 0x4, 0x8
_OPEN, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x20, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _OVERFLOW = 0x400, 0x800, 0x4000
_ALL: Final = 0xFFF & ~0x10
"""All but the end of reading, which follows a beginning."""
_WORDS: Final = {
    _ACCESS: "read",
    _MODIFY: "written",
    _ATTRIB: "changed",
    _CLOSE_WRITE: "written",
    _OPEN: "opened",
    _MOVED_FROM: "moved",
    _MOVED_TO: "moved",
    _CREATE: "made",
    _DELETE: "deleted",
    _DELETE_SELF: "deleted",
    _MOVE_SELF: "moved",
    _OVERFLOW: "more than could be counted",
}
_HEAD: Final = struct.Struct("iIII")


class Watch:
    """Over files (each by itself) and folders (with what lies directly in them), from its making until `seen`."""

    def __init__(self, places: Iterable[Path]) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._handle = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        self._places = {
            self._call("inotify_add_watch", self._handle, os.fsencode(place), _ALL): place for place in places
        }

    def seen(self) -> list[str]:
        """What happened since the last call, each thing once."""
        found: dict[str, None] = {}
        while events := self._events():
            position = 0
            while position < len(events):
                which, mask, _, length = _HEAD.unpack_from(events, position)
                position += _HEAD.size
                name = events[position : position + length].rstrip(b"\0").decode(errors="replace")
                position += length
                words = [word for bit, word in _WORDS.items() if mask & bit]
                place = self._places.get(which, Path("?"))
                found |= dict.fromkeys(f"{place / name if name else place} was {word}" for word in words)
        return list(found)

    def close(self) -> None:
        """Watch no more."""
        os.close(self._handle)

    def _events(self) -> bytes:
        try:
            return os.read(self._handle, 1 << 20)
        except BlockingIOError:
            return b""

    def _call(self, name: str, *arguments: int | bytes) -> int:
        result = int(getattr(self._library, name)(*arguments))
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(arguments[-1]))
        return result
