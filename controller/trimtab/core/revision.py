"""Revisions as users read them: `main@sha1:<sha>`.

The source stage makes them from refs and commits; status and metrics show them.
"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit, and the ref name under which it was found (empty for a bare commit)."""

    ref: str
    sha: str

    def __str__(self) -> str:
        algorithm = "sha256" if len(self.sha) == 64 else "sha1"
        return f"{self.ref}@{algorithm}:{self.sha}" if self.ref else f"{algorithm}:{self.sha}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`. Raises ValueError where the text is no revision."""
        ref, _, rest = text.rpartition("@")
        algorithm, colon, sha = rest.partition(":")
        if not colon or algorithm not in ("sha1", "sha256"):
            raise ValueError(f"not a revision: {text!r}")
        return cls(ref, sha)
