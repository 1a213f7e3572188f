"""The folder of unpacked artifacts: each under a key made of its digest and the way of its unpacking.

    <data>/artifacts/<key>/files/…     the tree
    <data>/artifacts/<key>/about.json  the listing of it and what else is known
    <data>/artifacts/partial-…         under way, or left by a killed process

What nobody holds any more goes when the folder grows beyond its size, the longest unused first.
"""

import json
import os
import shutil
import threading
import weakref
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from trimtab.adapters.artifacts.archive import Listing
from trimtab.adapters.artifacts.tree import ArtifactTree

_ABOUT = "about.json"
_PARTIAL = "partial-"
FORMAT = 2

Fill = Callable[[Path], Listing]
"""Writes files into an empty folder and says what they are."""


class ArtifactStore:
    """One per process; its methods touch the disk and are called in threads, one writer at a time for each key."""

    def __init__(self, path: Path, *, size_bytes: int = 2 * 1024**3) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._held: dict[str, weakref.WeakSet[ArtifactTree]] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Make the folder, and clear away what was under way when a process ended. Raises OSError."""
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._path.glob(f"{_PARTIAL}*"):
            shutil.rmtree(left, ignore_errors=True)

    def room(self) -> Path:
        """A folder for downloads on the same disk."""
        return self._path

    def find(self, key: str, *, identity: str) -> tuple[ArtifactTree, dict[str, Any]] | None:
        """A tree that is there, and what was noted of it."""
        folder = self._path / key
        try:
            about = json.loads((folder / _ABOUT).read_bytes())
            os.utime(folder)
        except (OSError, ValueError):
            return None
        if about.get("format") != FORMAT:
            return None
        return self._tree(key, identity, about["revision"], about["listing"]), about["notes"]

    def put(
        self, key: str, fill: Fill, *, identity: str, revision: str, notes: Mapping[str, Any] | None = None
    ) -> ArtifactTree:
        """Fill a new folder and make it the tree of a key. Raises what `fill` raises, and OSError."""
        partial = Path(mkdtemp(prefix=_PARTIAL, dir=self._path))
        try:
            files = partial / "files"
            files.mkdir(mode=0o700)
            listing = fill(files)
            about = {"format": FORMAT, "revision": revision, "size": _size(files, listing), "listing": listing}
            about["notes"] = dict(notes or {})
            (partial / _ABOUT).write_text(json.dumps(about))
            place = self._path / key
            shutil.rmtree(place, ignore_errors=True)
            partial.rename(place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        tree = self._tree(key, identity, revision, listing)
        self._collect()
        return tree

    def _tree(self, key: str, identity: str, revision: str, listing: Listing) -> ArtifactTree:
        tree = ArtifactTree(identity, revision, self._path / key / "files", listing)
        with self._lock:
            self._held.setdefault(key, weakref.WeakSet()).add(tree)
        return tree

    def _collect(self) -> None:
        """Remove what is over the size; a folder that somebody finds at this moment is held from then on."""
        sizes = [found for folder in self._path.iterdir() if (found := _on_disk(folder)) is not None]
        total = sum(size for _, size, _ in sizes)
        with self._lock:
            for _, size, folder in sorted(sizes):
                if total <= self._size_bytes:
                    return
                if not self._held.get(folder.name):
                    self._held.pop(folder.name, None)
                    shutil.rmtree(folder, ignore_errors=True)
                    total -= size


def _on_disk(folder: Path) -> tuple[float, int, Path] | None:
    """When it was used last, and its size; None for what is no finished artifact."""
    try:
        return folder.stat().st_mtime, int(json.loads((folder / _ABOUT).read_bytes())["size"]), folder
    except (OSError, ValueError, KeyError):
        return None


def artifact_key(*parts: str) -> str:
    """A folder's name out of what determines its content."""
    return sha256("\0".join(parts).encode()).hexdigest()


def _size(files: Path, listing: Listing) -> int:
    """Bytes on disk, small files and their listing counted as what they cost."""
    return sum((files / name).lstat().st_size + 512 for name in listing) + len(listing) * 128
