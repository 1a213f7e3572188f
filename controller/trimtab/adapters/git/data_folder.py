"""The folder that holds all mirrors: owned by one process at a time, cleared of what nobody uses.

A path flows in, folders of mirrors flow out. `mirrors` calls it.

    <data>/lock            held while a controller runs
    <data>/salt            what the names of mirrors are derived with
    <data>/mirrors/<name>  see `store`
"""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import IO

from trimtab.adapters.git.identities import Identities
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports import GitCredentials


class DataFolder:
    """Made and taken by `open`, given back by `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._guard: IO[bytes] | None = None
        self._identities: Identities | None = None

    def open(self) -> None:
        """Take the folder. Raises SourceError (DataFolderInUse) where another process has it, OSError otherwise."""
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        guard = (self._path / "lock").open("wb")
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            guard.close()
            raise SourceError(_in_use(self._path)) from None
        self._guard = guard
        self._identities = Identities.at(self._path / "salt")

    def close(self) -> None:
        """Give the folder back; harmless where it is not held."""
        if self._guard:
            self._guard.close()
            self._guard = None

    def mirror(self, url: str, credentials: GitCredentials | None) -> Path:
        """Where the mirror of a repository as seen with these credentials lies, or will."""
        assert self._identities is not None, "open() comes first"
        return self._path / "mirrors" / self._identities.name(url, credentials)

    def stale(self, forget_seconds: float) -> list[Path]:
        """The mirrors of which no ref was asked for in so long."""
        try:
            folders = list((self._path / "mirrors").iterdir())
        except FileNotFoundError:
            return []
        oldest = time.time() - forget_seconds
        return [folder for folder in folders if _last_use(folder) < oldest]


def remove(mirror: Path, *, forget_seconds: float) -> None:
    """Remove a mirror if it is stale still."""
    if _last_use(mirror) < time.time() - forget_seconds:
        shutil.rmtree(mirror, ignore_errors=True)


def _last_use(mirror: Path) -> float:
    """Seconds since the epoch; a mirror in the making counts from then."""
    try:
        return max([mirror.stat().st_mtime, *(entry.stat().st_mtime for entry in os.scandir(mirror / "used"))])
    except FileNotFoundError:
        return mirror.stat().st_mtime if mirror.exists() else 0.0


def _in_use(folder: Path) -> Problem:
    return Problem(
        f"the data folder {folder} is in use by another process",
        reason="DataFolderInUse",
        remedy="stop the other controller, or give this one a folder of its own",
        retry=True,
    )
