"""Refs: what GitRepository.spec.ref asks for, checked, and how the answer is named in a revision.

A mapping as declared flows in, one of the wanted-ref types or a `SourceError` flows out. A further kind of ref is a
further type here; the Git adapter and the loop call it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.source.version_range import VersionRange

MAX_NAME_LENGTH: Final = 255
_FORBIDDEN: Final = frozenset(" ~^:?*[\\")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class DefaultBranch:
    """The branch that the server's HEAD names."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The tip of a branch, by its short name."""

    name: str

    @property
    def remote_ref(self) -> str:
        """The full name on the server."""
        return f"refs/heads/{self.name}"


@dataclass(frozen=True, slots=True)
class Tag:
    """The commit that a tag names, annotated or not."""

    name: str

    @property
    def remote_ref(self) -> str:
        """The full name on the server."""
        return f"refs/tags/{self.name}"


@dataclass(frozen=True, slots=True)
class Commit:
    """Exactly this commit; where `branch` is set, it must be on that branch."""

    sha: str
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Semver:
    """The tag with the highest version in a range."""

    name: str

    @property
    def range(self) -> VersionRange:
        """The range, read anew: it was checked when this was made."""
        return VersionRange.parse(self.name)


@dataclass(frozen=True, slots=True)
class Name:
    """What any ref stands at, by its full name: of a pull request, a branch, a tag."""

    name: str

    @property
    def remote_ref(self) -> str:
        """The full name on the server."""
        return self.name

    @property
    def short(self) -> str:
        """As a revision shows it: branches and tags as if they had been asked for as such."""
        return self.name.removeprefix("refs/heads/").removeprefix("refs/tags/")


WantedTip = DefaultBranch | Branch | Tag | Semver | Name
"""Refs that move: the server is asked what they stand at."""
WantedRef = WantedTip | Commit
_KINDS: Final = ("branch", "tag", "semver", "name", "commit")


def wanted_ref(ref: Mapping[str, str]) -> WantedRef:
    """Read `branch`, `tag`, `semver`, `name` or `commit` (the latter with or without `branch`); nothing set means the
    default branch.

    Raises SourceError (reason InvalidRef) on other keys, on contradictions and on malformed names and ranges.
    """
    given = {key: value for key, value in ref.items() if value}
    unknown = sorted(given.keys() - set(_KINDS))
    if unknown:
        raise _refusal(f"ref.{unknown[0]} is not supported", f"use one of {', '.join(_KINDS)}")
    for kind in ("tag", "semver", "name"):
        if kind in given and len(given) > 1:
            raise _refusal(f"ref.{kind} stands beside another kind of ref", "keep one of them")
    branch = check_ref_name(given["branch"], field="branch") if "branch" in given else ""
    if "commit" in given:
        return Commit(check_sha(given["commit"]), branch)
    if "tag" in given:
        return Tag(check_ref_name(given["tag"], field="tag"))
    if "semver" in given:
        return Semver(VersionRange.parse(given["semver"]).text)
    if "name" in given:
        return Name(check_full_name(given["name"]))
    return Branch(branch) if branch else DefaultBranch()


def check_sha(sha: str) -> str:
    """A complete commit SHA: 40 (SHA-1) or 64 (SHA-256) hexadecimal digits, in lower case. Raises SourceError."""
    if not _SHA.fullmatch(sha.lower()):
        raise _refusal(f"ref.commit {_shown(sha)} is no complete commit SHA", "write all 40 (or 64) hexadecimal digits")
    return sha.lower()


def check_ref_name(name: str, *, field: str) -> str:
    """The short name as given where `refs/heads/<name>` is well-formed by git-check-ref-format(1).

    Stricter in that a leading dash and unprintable characters are refused. Raises SourceError.
    """
    fault = _fault(name)
    if fault:
        lists = "git show-ref" if field == "name" else f"git {field} --list"
        raise _refusal(f"ref.{field} {_shown(name)} {fault}", f"name the {field} as `{lists}` prints it")
    return name


def check_full_name(name: str) -> str:
    """A full ref name such as `refs/pull/420/head`, as given. Raises SourceError."""
    check_ref_name(name, field="name")
    if not name.startswith("refs/") or name.count("/") < 2:
        raise _refusal(
            f"ref.name {_shown(name)} is no full name of a ref",
            f"write it out, like refs/heads/{name}, refs/tags/v1.0.0 or refs/pull/420/head",
        )
    return name


def _fault(name: str) -> str:
    if not name or name == "@":
        return "is no name"
    if len(name.encode(errors="replace")) > MAX_NAME_LENGTH:
        return f"is longer than {MAX_NAME_LENGTH} bytes"
    if name.startswith("-"):
        return "begins with a dash"
    if not name.isprintable() or _FORBIDDEN & set(name):
        return "holds a space, a control character or one of ~ ^ : ? * [ \\"
    if ".." in name or "@{" in name or name.endswith("."):
        return "holds .. or @{ or ends with a dot"
    for part in name.split("/"):
        if not part:
            return "has an empty part between slashes"
        if part.startswith(".") or part.endswith(".lock"):
            return "has a part that begins with a dot or ends with .lock"
    return ""


def _shown(text: str) -> str:
    return ascii(text[:80])


def _refusal(message: str, remedy: str) -> SourceError:
    return SourceError(Problem(message, reason="InvalidRef", remedy=remedy))
