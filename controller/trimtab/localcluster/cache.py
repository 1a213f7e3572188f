"""The user's cache of programs: a folder for each name and version, with a recorded SHA-256 that is checked before use.

`assets` asks it first and installs into it what was downloaded or built. Layout:
`<root>/<system>-<architecture>/<name>-<version>/{<file>, record.json, verified.json}`.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from trimtab.localcluster.registry import Asset, Platform

_RECORD: Final = "record.json"
_VERIFIED: Final = "verified.json"


def default_root(environ: Mapping[str, str]) -> Path:
    """The folder of all our caches: `$XDG_CACHE_HOME/trimtab`, else the platform's own place."""
    if base := environ.get("XDG_CACHE_HOME"):
        return Path(base) / "trimtab"
    return platformdirs.user_cache_path("trimtab")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@dataclass(frozen=True, slots=True)
class BinaryCache:
    """Programs for one platform under `root`, the folder that holds all our caches."""

    root: Path
    target: Platform

    @property
    def folder(self) -> Path:
        """Where this platform's programs lie."""
        return self.root / "binaries" / str(self.target)

    def find(self, asset: Asset) -> Path | None:
        """The asset's file if it is here and is what was installed, else None.

        The content is hashed on first use and again whenever size, modification time or inode differ from those of the
        last good hash; a change that keeps all three is not noticed. (Hashing all programs takes two seconds.)
        """
        home = self.folder / asset.key
        path = home / asset.file_name
        expected = _read(home / _RECORD).get("sha256")
        if not expected or not path.is_file():
            return None
        stamp = _stamp(path)
        if _read(home / _VERIFIED) == {"sha256": expected, "stamp": stamp}:
            return path
        if sha256_of(path) != expected:
            return None
        self._remember(home, expected, stamp)
        return path

    def install(self, asset: Asset, built: Path, *, origin: str) -> Path:
        """Copy a finished file into the cache in one step and return its place there.

        `origin` says where it came from, for people who look. A folder that is there already is replaced.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        home = self.folder / asset.key
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=f".{asset.key}-") as workspace:
            fresh = Path(workspace) / "fresh"
            fresh.mkdir()
            path = fresh / asset.file_name
            shutil.copyfile(built, path)
            path.chmod(0o755 if asset.version_argv else 0o644)
            record = {"name": asset.name, "version": asset.version, "sha256": sha256_of(path), "origin": origin}
            (fresh / _RECORD).write_text(json.dumps(record, indent=2) + "\n")
            if home.exists():
                home.rename(Path(workspace) / "old")
            fresh.rename(home)
        return home / asset.file_name

    def origin(self, asset: Asset) -> str:
        """Where the cached asset came from, as recorded; empty where it is not here."""
        return str(_read(self.folder / asset.key / _RECORD).get("origin", ""))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the cache against other processes that would download or build the same; waits as long as it takes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def _remember(self, home: Path, digest: str, stamp: list[int]) -> None:
        # A cache that cannot be written (shared, read-only) still works: it is hashed every time.
        try:
            temporary = home / f".{_VERIFIED}.{os.getpid()}"
            temporary.write_text(json.dumps({"sha256": digest, "stamp": stamp}))
            temporary.replace(home / _VERIFIED)
        except OSError:
            return
