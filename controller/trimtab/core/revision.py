"""Revisions as users read them: `main@sha1:<sha>`.

The source stage makes them from refs and commits; status and metrics show them.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

_SHAS: Final = {"sha1": re.compile(r"[0-9a-f]{40}"), "sha256": re.compile(r"[0-9a-f]{64}")}
_NONE: Final = re.compile(r"(?!)")


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
        # Statuses can be edited: what is no SHA must not reach git's command line.
        if not colon or not _SHAS.get(algorithm, _NONE).fullmatch(sha):
            raise ValueError(f"not a revision: {text!r}")
        return cls(ref, sha)
