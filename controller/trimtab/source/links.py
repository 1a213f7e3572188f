"""Symbolic links of a tree: where each one leads, decided from the tree alone.

All links of a commit flow in, the path each reaches inside the tree or a refusal flows out. The Git adapter calls it
before it writes anything; the file system is never asked, so that an error cannot tell what exists outside.
"""

from collections.abc import Mapping
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin

MAX_EXPANSIONS: Final = 40
"""Links followed for one path before it counts as a loop: the kernel's own limit."""


def resolve_link(path: str, links: Mapping[str, str]) -> str:
    """The path in the tree that the link at `path` reaches, through other links where need be.

    `links` maps every link of the tree to its target text. The result need not exist. Raises SourceError (reason
    SymlinkRefused) where the way is absolute, leaves the tree, even to come back, or goes in circles.
    """
    done = path.split("/")[:-1]
    todo = _parts(path, links[path])
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
        todo += _parts(path, links[here])
    return "/".join(done)


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
