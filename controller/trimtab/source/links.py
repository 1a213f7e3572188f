"""Symbolic links of a tree: where each one leads, decided from the tree alone.

All links of a commit flow in, the way each takes through the tree or a refusal flows out. The Git adapter calls it
before it writes anything; the file system is never asked, so that an error cannot tell what exists outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin

MAX_EXPANSIONS: Final = 40
"""Links followed for one path before it counts as a loop: the kernel's own limit."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a link ends (the empty string is the root; it need not exist), and the other links it leads through."""

    end: str
    through: frozenset[str]


def resolve_link(path: str, links: Mapping[str, str]) -> Way:
    """The way from the link at `path`. `links` maps every link of the tree to its target text.

    Raises SourceError (reason SymlinkRefused) where it is absolute, leaves the tree, even to come back, or goes in
    circles.
    """
    return _follow(path, path.split("/")[:-1], _parts(path, links[path]), links)


def resolve_path(path: str, links: Mapping[str, str]) -> Way:
    """Where a path ends whose folders, or itself, may be links. Raises as `resolve_link`."""
    return _follow(path, [], _parts(path, path), links)


def _follow(path: str, done: list[str], todo: list[str], links: Mapping[str, str]) -> Way:
    """Walk the parts `todo` (last first) from the folder `done`."""
    through: set[str] = set()
    expansions = 1
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not done:
                raise _refusal(path, "leaves the repository")
            done.pop()
            continue
        here = "/".join([*done, part])
        if here not in links:
            done.append(part)
            continue
        expansions += 1
        if expansions > MAX_EXPANSIONS:
            raise _refusal(path, "goes in circles")
        through.add(here)
        todo += _parts(path, links[here])
    return Way("/".join(done), frozenset(through))


def _parts(path: str, target: str) -> list[str]:
    """The target's parts, last first. An absolute target is outside whatever it says."""
    if target.startswith("/"):
        raise _refusal(path, "leaves the repository")
    return target.split("/")[::-1]


def _refusal(path: str, fault: str) -> SourceError:
    return SourceError(
        Problem(
            f"symbolic link {fault}",
            origin=Origin(path),
            reason="SymlinkRefused",
            remedy="point it to a file or folder of the same repository by a relative path, or remove it",
        )
    )
