"""Semantic versions and ranges of them, by the rules of Masterminds/semver that Helm and Flux follow.

Texts flow in, versions, ranges and the newest version within a range flow out. Refs of OCI and Git sources and charts
are chosen with it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

MAX_LENGTH: Final = 256
_MAX_NUMBER: Final = 2**64 - 1
_IDENTIFIERS: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_TAIL: Final = rf"(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?"
_VERSION: Final = re.compile(rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?{_TAIL}", re.ASCII)
_PART: Final = r"[0-9]+|[xX*]"
_PARTIAL: Final = rf"v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?{_TAIL}"
_RULE: Final = re.compile(rf"\s*(=|!=|>=|=>|<=|=<|>|<|~>|~|\^|)\s*{_PARTIAL}(?=[\s,]|$)", re.ASCII)
_HYPHEN: Final = re.compile(rf"({_PARTIAL})\s+-\s+({_PARTIAL})(?=[\s,]|$)", re.ASCII)
_SEPARATOR: Final = re.compile(r"\s*,\s*|\s+", re.ASCII)


@dataclass(frozen=True)
class Version:
    """A version as written in `original`; compare by `key`, which leaves build metadata out."""

    original: str
    numbers: tuple[int, int, int]
    pre: str = ""
    metadata: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Missing minor and patch numbers count as 0, a leading v is dropped. Raises ValueError."""
        found = _VERSION.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if found is None:
            raise ValueError(f"not a semantic version: {text[:80]!a}")
        major, minor, patch = (int(part or 0) for part in found.group(1, 2, 3))
        pre = found[4] or ""
        if max(major, minor, patch) > _MAX_NUMBER or any(_leading_zero(part) for part in pre.split(".")):
            raise ValueError(f"not a semantic version: {text[:80]!a}")
        return cls(text, (major, minor, patch), pre, found[5] or "")

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What versions are ordered by: a pre-release stands before its release."""
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre.split("."))
        return (*self.numbers, not self.pre, parts if self.pre else ())

    def __str__(self) -> str:
        return self.original


@dataclass(frozen=True, slots=True)
class _Rule:
    """One comparison. `given` says how many numbers were written before the first wildcard."""

    operator: str
    version: Version
    given: int


@dataclass(frozen=True, slots=True)
class Range:
    """Alternatives, each a group of comparisons that must all hold."""

    groups: tuple[tuple[_Rule, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """A range such as `>=1.2 <2`, `^1.2`, `~1.2.3`, `1.x`, `1.2 - 1.4` or `1.x || >=2.5`. Raises ValueError."""
        if len(text) > MAX_LENGTH:
            raise ValueError("not a range of versions: it is too long")
        return cls(tuple(_group(part, text) for part in text.split("||")))

    def holds(self, version: Version) -> bool:
        """Whether a version lies within. A pre-release only does where a comparison of the group names one."""
        return any(
            (not version.pre or any(rule.version.pre for rule in group))
            and all(_holds(rule, version) for rule in group)
            for group in self.groups
        )


def newest(within: Range, versions: Iterable[str]) -> str | None:
    """The highest version of a range, as written; what is no version is passed over. None where there is none.

    Of equal versions, which differ in build metadata only, the last by text is taken, whatever their order.
    """
    found = [version for text in versions if (version := _version(text)) is not None and within.holds(version)]
    return max(found, key=lambda version: (version.key, version.metadata, version.original)).original if found else None


def _version(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except ValueError:
        return None


def _leading_zero(part: str) -> bool:
    return part.isdigit() and len(part) > 1 and part[0] == "0"


def _group(part: str, text: str) -> tuple[_Rule, ...]:
    part = _HYPHEN.sub(lambda found: f">={found[1]}, <={found[7]}", part)
    rules: list[_Rule] = []
    position = 0
    while position < len(part.rstrip()):
        if rules:
            separator = _SEPARATOR.match(part, position)
            position = separator.end() if separator else -1
        found = _RULE.match(part, position) if position >= 0 else None
        if found is None:
            raise ValueError(f"not a range of versions: {text[:80]!a} (write it like >=1.2 <2, ^1.2, ~1.2.3 or 1.x)")
        rules.append(_rule(found))
        position = found.end()
    if not rules:
        raise ValueError("not a range of versions: it is empty (write * for any)")
    return tuple(rules)


def _rule(found: re.Match[str]) -> _Rule:
    numbers = found.group(2, 3, 4)
    wild = [index for index, number in enumerate(numbers) if number is None or number in ("x", "X", "*")]
    given = wild[0] if wild else 3
    known = [*numbers[:given], "0", "0", "0"][:3]
    tail = f"-{found[5]}" if found[5] else ""
    return _Rule(found[1], Version.parse(".".join(str(number) for number in known) + tail), given)


def _holds(rule: _Rule, version: Version) -> bool:
    """A missing number is a wildcard, which makes an interval of what is compared with.

    A wildcard alone means anything where it stands alone or behind ~, and 0.0.0 behind most other operators.
    """
    partial = rule.given in (1, 2)
    match rule.operator:
        case "=" | "":
            return _within_tilde(rule, version) if rule.given < 3 else version.key == rule.version.key
        case "!=":
            return not (_equal_head(rule, version) if partial else version.key == rule.version.key)
        case ">":
            return version.key > rule.version.key and not (
                partial and _head(version, rule) == _head(rule.version, rule)
            )
        case "<":
            return version.key < rule.version.key
        case ">=" | "=>":
            return version.key >= rule.version.key
        case "<=" | "=<":
            count = rule.given or 2
            within = count < 3 and version.numbers[:count] <= rule.version.numbers[:count]
            return within or (rule.given == 3 and version.key <= rule.version.key)
        case "^":
            return _within_caret(rule, version)
        case _:
            return _within_tilde(rule, version)


def _head(version: Version, rule: _Rule) -> tuple[int, ...]:
    return version.numbers[: rule.given]


def _equal_head(rule: _Rule, version: Version) -> bool:
    return _head(version, rule) == _head(rule.version, rule) and (rule.given < 2 or version.pre == rule.version.pre)


def _within_tilde(rule: _Rule, version: Version) -> bool:
    if version.key < rule.version.key:
        return False
    # Masterminds takes ~0.0.0 for "any from 0.0.0 on".
    if rule.given in (0, 3) and rule.version.numbers == (0, 0, 0):
        return True
    count = min(rule.given, 2)
    return version.numbers[:count] == rule.version.numbers[:count]


def _within_caret(rule: _Rule, version: Version) -> bool:
    """Up to the next change of the leftmost number that is not 0."""
    if version.key < rule.version.key:
        return False
    given = rule.given or 3
    numbers = rule.version.numbers[:given]
    count = next((index + 1 for index, number in enumerate(numbers) if number), given)
    return version.numbers[:count] == numbers[:count]
