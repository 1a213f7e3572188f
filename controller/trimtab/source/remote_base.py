"""Remote bases: what a kustomization names instead of a path, in kustomize's own spelling of Git URLs.

A text of a kustomization flows in; a repository, a ref and a folder, each checked, or a `SourceError` flow out. The
render stage calls it. The grammar is that of kustomize 5; what it would hand to git unchecked is refused here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

from trimtab.core.errors import Problem, SourceError
from trimtab.source.path import repository_path
from trimtab.source.ref import check_full_name, check_ref_name
from trimtab.source.url import check_url, show_url

_REMOTE: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*(://|::)|gh:|[^/:@\s]+@[^/:\s]+:|(git@)?github\.com[/:]|[^\s]*\?(ref|version)="
)
_FORCED: Final = "git::"
_SCP: Final = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):/?(?!/)(.*)", re.DOTALL)
_GITHUB: Final = re.compile(r"(git@)?github\.com[/:](.*)", re.DOTALL | re.IGNORECASE)
_AZURE: Final = "_git/"
_SEPARATOR: Final = "//"
_SUFFIX: Final = ".git"
_DEFAULT_PARTS: Final = 2
"""Organisation and repository: what counts as the repository where nothing marks its end."""
_FILES: Final = (".yaml", ".yml", ".json")
_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DURATION: Final = re.compile(r"[0-9]+|([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
_OPTIONS: Final = frozenset({"ref", "version", "timeout", "submodules"})
_NO: Final = frozenset({"", "0", "f", "F", "false", "False", "FALSE"})


@dataclass(frozen=True, slots=True)
class RemoteBase:
    """A folder (`path`, normal; empty: the root) of the repository at `url`, at `ref` (empty: the default branch)."""

    url: str
    ref: str = ""
    path: str = ""

    @property
    def name(self) -> str:
        """Which files it is about: equal for all folders of a repository at one ref. Holds no secret."""
        return f"{self.url}?ref={self.ref}" if self.ref else self.url

    @property
    def repository(self) -> "RemoteBase":
        """All of the repository."""
        return RemoteBase(self.url, self.ref)

    @property
    def pinned(self) -> bool:
        """Whether the ref is a whole commit SHA, which stands for the same files for ever."""
        return _SHA.fullmatch(self.ref) is not None

    def refs(self) -> tuple[Mapping[str, str], ...]:
        """What to ask the server for, one after the other until there is such a ref: as git reads a short name."""
        if not self.ref:
            return ({},)
        if self.pinned:
            return ({"commit": self.ref},)
        for start, kind in (("refs/tags/", "tag"), ("refs/heads/", "branch")):
            if self.ref.startswith(start):
                return ({kind: self.ref.removeprefix(start)},)
        if self.ref.startswith("refs/"):
            return ({"name": self.ref},)
        return {"tag": self.ref}, {"branch": self.ref}

    def __str__(self) -> str:
        path = f"//{self.path}" if self.path else ""
        return f"{self.url}{path}{f'?ref={self.ref}' if self.ref else ''}"


def is_remote(text: str) -> bool:
    """Whether kustomize might look for a text elsewhere than in the tree."""
    return _REMOTE.match(text) is not None


def remote_base(text: str) -> RemoteBase:
    """Read what `is_remote` says yes to. Raises SourceError (RemoteBaseRefused); its texts hold no secret."""
    address, _, query = text.partition("?")
    ref = _ref(text, query)
    if address.rstrip("/").endswith(_FILES):
        raise _refused(text, "a single file is not downloaded", "name a folder of a Git repository, or copy the file")
    url = _full(text, address.removeprefix(_FORCED))
    scheme, _, rest = url.partition("://")
    host, slash, place = rest.partition("/")
    repository, path = _split(text, place)
    try:
        found = check_url(f"{scheme}://{host}{slash}{repository}")
        return RemoteBase(found.rstrip("/"), ref, repository_path(_unclimbing(text, repository, path)))
    except SourceError as error:
        problem = error.problems[0]
        raise _refused(text, problem.message, problem.remedy) from None


def _full(text: str, address: str) -> str:
    """The address with its scheme; kustomize has short forms of its own."""
    if github := _GITHUB.fullmatch(address):
        user, place = github.groups()
        return f"{'ssh://git@' if user else 'https://'}github.com/{place}"
    if "://" not in address and (scp := _SCP.fullmatch(address)):
        user, host, place = scp.groups()
        return f"ssh://{user}@{host}/{place}"
    if not address.lower().startswith(("https://", "http://", "ssh://")):
        remedy = "write https://HOST/ORG/REPOSITORY//FOLDER?ref=VERSION, or ssh://git@HOST/…"
        raise _refused(text, "only https, http and ssh URLs are accepted", remedy)
    scheme, _, rest = address.partition("://")
    return f"{scheme.lower()}://{rest}"


def _split(text: str, place: str) -> tuple[str, str]:
    """Repository and folder in it."""
    if (at := place.find(_AZURE)) >= 0:
        name, _, path = place[at + len(_AZURE) :].partition("/")
        return place[:at] + _AZURE + name, path
    if _SEPARATOR in place:
        repository, _, path = place.partition(_SEPARATOR)
        return repository, path
    if (at := place.find(_SUFFIX)) >= 0:
        return place[: at + len(_SUFFIX)], place[at + len(_SUFFIX) :].removeprefix("/")
    parts = place.split("/")
    if len(parts) < _DEFAULT_PARTS or not all(parts[:_DEFAULT_PARTS]):
        raise _refused(text, "does not say which repository", "put // between the repository and the folder in it")
    return "/".join(parts[:_DEFAULT_PARTS]), "/".join(parts[_DEFAULT_PARTS:])


def _unclimbing(text: str, repository: str, path: str) -> str:
    """The folder, once neither it nor the repository's path climbs: servers undo percent-encoding before they look."""
    for part in (*repository.split("/"), *path.split("/")):
        plain = unquote(part)
        if plain in (".", "..") or "/" in plain or "\\" in plain:
            raise _refused(text, "holds . or .. as a part of its path", "write the path without them")
    return path


def _ref(text: str, query: str) -> str:
    try:
        given = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=10))
    except ValueError:
        raise _refused(text, "has a malformed query", "write ?ref=VERSION") from None
    if unknown := sorted(given.keys() - _OPTIONS):
        raise _refused(
            text, f"has {unknown[0][:40]!a} in its query", f"use {', '.join(sorted(_OPTIONS))} only; credentials never"
        )
    if given.get("submodules", "") not in _NO:
        remedy = "take it off: submodules of remote bases are not fetched"
        raise _refused(text, "asks for submodules", remedy)
    if (timeout := given.get("timeout", "")) and not _DURATION.fullmatch(timeout):
        raise _refused(text, "has a malformed timeout", "take it off: the source's own spec.timeout counts")
    ref = given.get("ref") or given.get("version") or ""
    if _SHA.fullmatch(ref.lower()):
        return ref.lower()
    try:
        if not ref:
            return ""
        return check_full_name(ref) if ref.startswith("refs/") else check_ref_name(ref, field="tag")
    except SourceError as error:
        fault = error.problems[0].message.partition(" ")[2]
        raise _refused(text, f"has a ref that is none: {fault}", "name a branch, a tag or a whole commit SHA") from None


def _refused(text: str, fault: str, remedy: str) -> SourceError:
    shown = show_url(text.removeprefix(_FORCED))
    return SourceError(Problem(f"remote base {shown!r}: {fault}", reason="RemoteBaseRefused", remedy=remedy))
