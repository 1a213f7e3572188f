"""Ranges of semantic versions as Flux and Helm users write them, and the highest tag that one allows.

A range's text and tags flow in, a range, a tag or a `SourceError` flow out. The grammar and the treatment of
pre-releases are those of Masterminds/semver 3; the Git adapter and whoever resolves chart and image versions call it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from semver import Version

from trimtab.core.errors import Problem, SourceError

MAX_RANGE_LENGTH: Final = 512
MAX_ALTERNATIVES: Final = 32
_MAX_TAG_LENGTH: Final = 256

_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_PART = r"(?:0|[1-9][0-9]{0,17}|[xX*])"
_PARTIAL = rf"v?{_PART}(?:\.{_PART}){{0,2}}(?:-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?"
_TERM = re.compile(
    rf"(=>|=<|>=|<=|!=|~>|=|>|<|~|\^)?\s*"
    rf"v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?(?=[\s,]|$)"
)
_HYPHEN = re.compile(rf"({_PARTIAL})\s+-\s+({_PARTIAL})")
_BETWEEN = re.compile(r"\s*,\s*|\s+")
_WILD: Final = (None, "x", "X", "*")


@dataclass(frozen=True, slots=True)
class _Term:
    """One comparison. `given` counts the numbers that were written: 3 of 1.2.3, 1 of 1.x, 0 of *."""

    operator: str
    version: Version
    given: int

    def allows(self, version: Version, *, prereleases: bool) -> bool:
        if version.prerelease and not (self.version.prerelease or prereleases):
            return False
        match self.operator:
            case "!=":
                return self._differs(version)
            case ">":
                return self._greater(version)
            case "<":
                return version < self.version
            case ">=" | "=>":
                return version >= self.version
            case "<=" | "=<":
                return self._at_most(version)
            case "^":
                return self._caret(version)
            case "~" | "~>":
                return self._tilde(version)
        return self._tilde(version) if self.given < 3 else version.compare(self.version) == 0

    def _differs(self, version: Version) -> bool:
        if self.given == 3:
            return version.compare(self.version) != 0
        if self.given == 2 and _numbers(version)[:2] == _numbers(self.version)[:2]:
            # The patch was left open: all of them are meant, of pre-releases the one that was named.
            return version.prerelease != self.version.prerelease
        if self.given == 0:
            return version.compare(self.version) != 0
        return _numbers(version)[: self.given] != _numbers(self.version)[: self.given]

    def _greater(self, version: Version) -> bool:
        """What was left open is passed by as a whole: 11.1.0 is not above 11."""
        if self.given in (1, 2):
            return _numbers(version)[: self.given] > _numbers(self.version)[: self.given]
        return version > self.version

    def _at_most(self, version: Version) -> bool:
        if self.given == 3:
            return version <= self.version
        shown = 1 if self.given == 1 else 2
        return _numbers(version)[:shown] <= _numbers(self.version)[:shown]

    def _tilde(self, version: Version) -> bool:
        if version < self.version:
            return False
        if _numbers(self.version) == (0, 0, 0) and self.given in (0, 3):
            return True
        shown = 1 if self.given == 1 else 2
        return _numbers(version)[:shown] == _numbers(self.version)[:shown]

    def _caret(self, version: Version) -> bool:
        """The leftmost number that is not zero stands still; what was left open may move."""
        if version < self.version:
            return False
        if self.given == 1 or self.version.major:
            return bool(version.major == self.version.major)
        if self.given == 2 or self.version.minor:
            return _numbers(version)[:2] == _numbers(self.version)[:2]
        # Masterminds take the bare star for 0.0.0 here, which allows nothing but that; everything is meant.
        return self.given == 0 or _numbers(version) == _numbers(self.version)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Alternatives, of which each is a list of terms that must all hold."""

    text: str
    _alternatives: tuple[tuple[_Term, ...], ...]

    @classmethod
    def parse(cls, text: str, *, field: str = "ref.semver") -> "VersionRange":
        """Read a range such as `>=1.2 <2`, `^1.4`, `~2.1.0-0`, `1.x || 3.*` or `1.0 - 1.9`. Raises SourceError."""
        if len(text) > MAX_RANGE_LENGTH or not text.isprintable():
            raise _refusal(field, text, f"is longer than {MAX_RANGE_LENGTH} characters or holds a control character")
        alternatives = text.split("||")
        if len(alternatives) > MAX_ALTERNATIVES:
            raise _refusal(field, text, f"has more than {MAX_ALTERNATIVES} alternatives")
        return cls(text, tuple(_terms(each, field=field, text=text) for each in alternatives))

    def allows(self, version: Version) -> bool:
        """Whether a version lies in the range.

        A pre-release does only where a term of the same alternative names one, as in `>=1.0.0-0 <2`.
        """
        return any(
            all(term.allows(version, prereleases=any(each.version.prerelease for each in terms)) for term in terms)
            for terms in self._alternatives
        )

    def highest(self, tags: Iterable[str]) -> str:
        """The tag with the highest version in the range, the empty string where there is none.

        Tags that are no versions are passed over. Of versions that differ in build metadata only, or in the leading v,
        the one whose text sorts last is taken, so that the choice does not depend on the server's order.
        """
        found = [(version, tag) for tag in tags if (version := version_of(tag)) is not None and self.allows(version)]
        if not found:
            return ""
        best = max(version for version, _ in found)
        return max(tag for version, tag in found if version.compare(best) == 0)


def version_of(tag: str) -> Version | None:
    """The version that a tag spells, complete and strict, with or without a leading v; None where it is none."""
    if len(tag) > _MAX_TAG_LENGTH:
        return None
    try:
        return Version.parse(tag.removeprefix("v"))
    except ValueError:
        return None


def _terms(alternative: str, *, field: str, text: str) -> tuple[_Term, ...]:
    rest = _HYPHEN.sub(r">=\1 <=\2", alternative).strip()
    terms: list[_Term] = []
    position = 0
    while position < len(rest) or not terms:
        found = _TERM.match(rest, position)
        if found is None:
            raise _refusal(field, text, "is no range of versions")
        terms.append(_term(found))
        position = found.end()
        separator = _BETWEEN.match(rest, position)
        if separator:
            position = separator.end()
            if position == len(rest):
                raise _refusal(field, text, "ends with a comma")
    return tuple(terms)


def _term(found: "re.Match[str]") -> _Term:
    operator, *parts, prerelease = found.groups()
    numbers: list[int] = []
    for part in parts:
        if part in _WILD:
            break
        numbers.append(int(part))
    given = len(numbers)
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return _Term(operator or "", Version(major, minor, patch, prerelease), given)


def _numbers(version: Version) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch


def _refusal(field: str, text: str, fault: str) -> SourceError:
    return SourceError(
        Problem(
            f"{field} {text[:80]!a} {fault}",
            reason="InvalidRef",
            remedy="write a range such as >=1.2.0 <2.0.0, ^1.4, ~2.1.0, 1.x || 3.x; with pre-releases: >=1.2.0-0",
        )
    )
