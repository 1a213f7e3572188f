"""Paths inside a repository: the one spelling of a declared folder, and which file names of a tree may be written.

Paths as declared or as found in a tree flow in, normal ones or a `SourceError` flow out. The Git adapter calls it.
"""

from typing import Final

from trimtab.core.errors import Problem, SourceError

MAX_PATH_LENGTH: Final = 4096
_MAX_PART_BYTES: Final = 255


def repository_path(path: str) -> str:
    """A declared path without `./`, doubled and trailing slashes; the empty string is the root.

    Raises SourceError (reason InvalidPath) where it is absolute, climbs up or holds control characters.
    """
    if len(path) > MAX_PATH_LENGTH or not path.isprintable():
        raise _refusal(path, "is too long or holds a control character")
    if path.startswith("/"):
        raise _refusal(path, "is absolute")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _refusal(path, "climbs up")
    return "/".join(parts)


def writable(path: str) -> bool:
    """Whether a file name found in a tree is one that a well-meaning git would have made.

    A crafted tree can hold `..`, `.git` or empty parts, which would write elsewhere or be taken for a repository.
    """
    if not path or "\0" in path or len(path) > MAX_PATH_LENGTH:
        return False
    for part in path.split("/"):
        if part in ("", ".", "..") or part.lower() == ".git":
            return False
        if len(part.encode(errors="surrogateescape")) > _MAX_PART_BYTES:
            return False
    return True


def within(path: str, folders: tuple[str, ...]) -> bool:
    """Whether a normal path is one of the folders (or files) or below one; the empty string is the root."""
    return any(not folder or path == folder or path.startswith(f"{folder}/") for folder in folders)


def _refusal(path: str, fault: str) -> SourceError:
    return SourceError(
        Problem(
            f"path {path[:80]!a} {fault}",
            reason="InvalidPath",
            remedy="write it relative to the root of the repository, such as deploy/production",
        )
    )
