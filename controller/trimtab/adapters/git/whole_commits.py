"""A note in a mirror: the last commit that was found to hold no ignore file, and how many files it has.

Commits differ little from one another: whether a new one is whole, too, is told by what differs, not by all it holds.
The note is no more than a short cut. Where it is absent, makes no sense or speaks of a commit that was let go of, the
new commit is gone through. Runs in a worker.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import git

from trimtab.adapters.git.trees import changes
from trimtab.core.errors import SourceError
from trimtab.source.ignoring import FILE_NAMES

MOST_CHANGES: Final = 1000
"""Beyond so many files that differ, going through the commit is as quick."""
_NAME: Final = "whole-commit"
_ENDINGS: Final = tuple(name.encode() for name in FILE_NAMES)
_SIGNS: Final = {b"A": 1, b"D": -1}


def known_whole(tips: git.Repo, sha: str, *, max_files: int) -> bool:
    """Whether a commit is known to hold no ignore file and no more than `max_files` files. False is no answer."""
    noted = _read(tips)
    if noted is None:
        return False
    before, files = noted
    if before == sha:
        return files <= max_files
    try:
        differing = changes(tips, before, sha, most=MOST_CHANGES)
    except SourceError:
        # A name that no honest git makes, maybe of the commit before: it is said of this one if it has it.
        return False
    if differing is None or any(path.endswith(_ENDINGS) for _, path in differing):
        return False
    files += sum(_SIGNS.get(kind, 0) for kind, _ in differing)
    if files > max_files:
        return False
    note_whole(tips, sha, files)
    return True


def note_whole(tips: git.Repo, sha: str, files: int) -> None:
    """A commit was gone through: it holds so many files, and no ignore file."""
    path = Path(tips.git_dir) / _NAME
    # Begins as what is left of a killed selection does, and is removed with it.
    unfinished = path.with_name(f"selecting-{os.getpid()}.note")
    with suppress(OSError):
        unfinished.write_text(f"{sha} {files}\n")
        unfinished.replace(path)


def _read(tips: git.Repo) -> tuple[str, int] | None:
    try:
        sha, files = (Path(tips.git_dir) / _NAME).read_text().split()
        return sha, int(files)
    except (OSError, ValueError):
        return None
