"""`ref.semver` of a GitRepository: a range as users write it, and the highest tag that it allows.

A range's text and tags flow in, a tag or a `SourceError` flow out. The grammar is that of `versions`; of tags only
complete versions count, as with Flux. The Git adapter calls it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.source.versions import Range, Version, newest

MAX_RANGE_LENGTH: Final = 256
MAX_ALTERNATIVES: Final = 32
_COMPLETE: Final = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:[-+].*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A range that was checked."""

    text: str
    _range: Range

    @classmethod
    def parse(cls, text: str, *, field: str = "ref.semver") -> "VersionRange":
        """Read a range such as `>=1.2 <2`, `^1.4`, `~2.1.0-0`, `1.x || 3.*` or `1.0 - 1.9`. Raises SourceError."""
        if len(text) > MAX_RANGE_LENGTH or not text.isprintable():
            raise _refusal(field, text, f"is longer than {MAX_RANGE_LENGTH} characters or holds a control character")
        if text.count("||") >= MAX_ALTERNATIVES:
            raise _refusal(field, text, f"has more than {MAX_ALTERNATIVES} alternatives")
        try:
            return cls(text, Range.parse(text))
        except ValueError:
            raise _refusal(field, text, "is no range of versions") from None

    def highest(self, tags: Iterable[str]) -> str:
        """The tag with the highest version in the range, the empty string where there is none.

        A pre-release lies in it only where a term of the same alternative names one, as in `>=1.0.0-0 <2`.
        Of versions that differ in build metadata only, or in the leading v, the one whose text sorts last is taken, so
        that the choice does not depend on the server's order.
        """
        return newest(self._range, (tag for tag in tags if version_of(tag) is not None)) or ""


def version_of(tag: str) -> Version | None:
    """The version that a tag spells, complete and strict, with or without a leading v; None where it is none."""
    try:
        return Version.parse(tag) if _COMPLETE.fullmatch(tag) else None
    except ValueError:
        return None


def _refusal(field: str, text: str, fault: str) -> SourceError:
    return SourceError(
        Problem(
            f"{field} {text[:80]!a} {fault}",
            reason="InvalidRef",
            remedy="write a range such as >=1.2.0 <2.0.0, ^1.4, ~2.1.0, 1.x || 3.x; with pre-releases: >=1.2.0-0",
        )
    )
