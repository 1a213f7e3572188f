"""Folders of our own in memory, for what must not be left on a disk: keys, decrypted files.

`scratch` and the runners of gpg and sops take paths from here; nothing of what lies in them outlives a restart of the
machine, and what a killed controller left is removed when the next one starts.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

CANDIDATES: Final = (Path("/dev/shm"), Path("/run/lock"), Path("/run"))  # noqa: S108 - looked at, not trusted
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_MOUNTS: Final = Path("/proc/self/mountinfo")


def in_memory(path: Path, mountinfo: str | None = None) -> bool:
    """Whether a path lies on a file system that is kept in memory."""
    text = _MOUNTS.read_text(errors="replace") if mountinfo is None else mountinfo
    best, kind = -1, ""
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = Path(fields[4].replace("\\040", " "))
        # Later mounts lie above earlier ones at the same point.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split(" ")[0]
    return kind in _IN_MEMORY


def memory_folder() -> Path | None:
    """A folder in memory in which we may make folders; None where there is none."""
    usable = (path for path in CANDIDATES if path.is_dir() and os.access(path, os.W_OK | os.X_OK))
    return next((path for path in usable if in_memory(path.resolve())), None)


@contextmanager
def private_folder(parent: Path | None, prefix: str) -> Iterator[Path]:
    """A fresh folder for us alone, in memory where there is such, removed with all that is in it."""
    with TemporaryDirectory(dir=parent or memory_folder(), prefix=prefix) as folder:
        yield Path(folder)
