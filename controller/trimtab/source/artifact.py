"""The artifact: what a fetch resolved to, by the identity of its content.

A revision and the SHA of its root tree flow in, the artifact that status shows and render keys flows out. The loop
calls it.
"""

from dataclasses import dataclass
from typing import Self

from trimtab.core.revision import Revision


@dataclass(frozen=True, slots=True)
class Artifact:
    """A revision and the digest of the files it holds.

    Commits with the same files share the digest: a revert and what it goes back to, an empty commit and its parent.
    """

    revision: Revision
    digest: str

    @classmethod
    def of(cls, revision: Revision, tree_sha: str) -> Self:
        """Name the content by Git's own tree SHA, which covers names, modes and bytes of all files."""
        return cls(revision, tree_digest(tree_sha))


def tree_digest(tree_sha: str) -> str:
    """`sha1:<40 hex>` or `sha256:<64 hex>`, by the repository's object format."""
    return f"{'sha256' if len(tree_sha) == 64 else 'sha1'}:{tree_sha}"
