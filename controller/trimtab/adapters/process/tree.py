"""A materialised tree as the renderer sees it: a listing, bytes of files, and the refusal of links that lead out of it.

`renderer` opens one over the folder that the Git adapter wrote. Messages are the same whether a link's target exists.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trimtab.core.errors import Problem, RenderError, SourceError
from trimtab.core.manifest import Origin
from trimtab.render.limits import Limits
from trimtab.source.links import resolve_link, resolve_path

_REASON: Final = "InvalidManifest"


class Tree:
    """The files below `root`, by paths relative to it. Raises RenderError on links out of it and on too many files.

    `links` holds the target of every symbolic link; of those to folders `files` has none.
    """

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root.resolve()
        self._limits = limits
        self.files: frozenset[str] = frozenset()
        self.links: dict[str, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look again, after more was materialised."""
        found = list(self._walk(""))
        if len(found) > self._limits.files:
            message = f"more than {self._limits.files} files"
            raise RenderError(Problem(message, remedy="point the path at a smaller folder", reason=_REASON))
        links = [name for name in sorted(found) if (self.root / name).is_symlink()]
        self.links = {name: str((self.root / name).readlink()) for name in links}
        if problems := [problem for name in self.links if (problem := self._refusal(name))]:
            raise RenderError(*problems)
        self.files = frozenset(name for name in found if name not in self.links or not (self.root / name).is_dir())

    def read(self, path: str) -> bytes:
        """A file's bytes, one more than the limit at most, so that the reader can tell that it is too large.

        Raises RenderError where it is a link to nothing.
        """
        if not (self.root / path).is_file():
            remedy = "add what it points at, or remove it"
            raise RenderError(Problem("a symbolic link to nothing", origin=Origin(path), remedy=remedy, reason=_REASON))
        with (self.root / path).open("rb") as file:
            return file.read(self._limits.file_bytes + 1)

    def find(self, path: str) -> bytes | None:
        """A file's bytes; None where the tree has none there. Its folders may be links."""
        try:
            end = resolve_path(path, self.links).end
        except SourceError:
            return None
        return self.read(end) if end in self.files else None

    def _walk(self, folder: str) -> Iterator[str]:
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(path)
                else:
                    yield path

    def _refusal(self, name: str) -> Problem | None:
        """What is wrong with a link; decided by the tree alone, so that it tells nothing of what is outside."""
        try:
            resolve_link(name, self.links)
        except SourceError as error:
            return error.problems[0]
        return None
