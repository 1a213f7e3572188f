"""A materialised tree as the renderer sees it: a listing, bytes of files, and the refusal of links that lead out of it.

`renderer` opens one over the folder that the Git adapter wrote. Messages are the same whether a link's target exists.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from posixpath import relpath

from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.limits import Limits


class Tree:
    """The files below `root`, by paths relative to it. Raises RenderError on links out of it and on too many files."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root.resolve()
        self._limits = limits
        self.files: frozenset[str] = frozenset()
        self.refresh()

    def refresh(self) -> None:
        """Look again, after more was materialised."""
        found = list(self._walk(""))
        if len(found) > self._limits.files:
            message = f"more than {self._limits.files} files"
            raise RenderError(Problem(message, remedy="point the path at a smaller folder", reason="InvalidManifest"))
        self.files = frozenset(found)
        if leaving := [name for name in sorted(found) if self._leaves(name)]:
            raise RenderError(*(_leaving(name) for name in leaving))

    def read(self, path: str) -> bytes:
        """A file's bytes, one more than the limit at most, so that the reader can tell that it is too large."""
        with (self.root / path).open("rb") as file:
            return file.read(self._limits.file_bytes + 1)

    def find(self, path: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        return self.read(path) if path in self.files and (self.root / path).is_file() else None

    def _walk(self, folder: str) -> Iterator[str]:
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(path)
                else:
                    yield path

    def _leaves(self, name: str) -> bool:
        path = self.root / name
        if not path.is_symlink():
            return False
        return relpath(os.path.realpath(path), self.root).split("/")[0] == ".."


def _leaving(name: str) -> Problem:
    return Problem(
        "a symbolic link that leaves the repository",
        origin=Origin(name),
        remedy="replace it by the file itself",
        reason="InvalidManifest",
    )
