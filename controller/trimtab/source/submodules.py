"""Submodules: which addresses a `.gitmodules` may name, and whose credentials go there.

What a commit declares flows in, checked absolute URLs or a `SourceError` flow out. The loop calls it.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.source.credentials import GitCredentials
from trimtab.source.url import check_url, show_url

MAX_DEPTH: Final = 4
"""Submodules of submodules; a repository may name itself."""
GITMODULES: Final = ".gitmodules"
_DEFAULT_PORTS: Final = {"https": 443, "http": 80, "ssh": 22}


@dataclass(frozen=True, slots=True)
class Submodule:
    """A commit of another repository at a path; `url` as declared, empty where `.gitmodules` does not name the path."""

    path: str
    url: str
    sha: str


def submodule_url(parent: str, module: Submodule) -> str:
    """The absolute URL. Relative ones (`./`, `../`) start at the parent's, and stay on its host.

    Raises SourceError (SubmoduleRefused): no URL, one that git may not be told, one that climbs above the host.
    """
    if not module.url:
        raise _refusal(module, "has no URL in .gitmodules", "declare it there, or remove the submodule")
    url = module.url if not module.url.startswith(("./", "../")) else _resolved(parent, module)
    try:
        return check_url(url)
    except SourceError as error:
        remedy = "declare an https or ssh URL without credentials, or one relative to this repository's"
        raise _refusal(module, f"is refused: {error.problems[0].message}", remedy) from None


def same_host(one: str, other: str) -> bool:
    """Whether credentials of one URL may be used with another: scheme, host and port are the same."""
    return _place(one) == _place(other)


def credentials_at(url: str, credentials: GitCredentials | None, *, given_for: str) -> GitCredentials | None:
    """What may be shown at an URL of what was given for another one.

    Elsewhere than at the same host the way there stays, and nothing that would prove who we are.
    """
    if same_host(given_for, url):
        return credentials
    return GitCredentials(proxy=credentials.proxy) if credentials and credentials.proxy else None


def _place(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _resolved(parent: str, module: Submodule) -> str:
    scheme, separator, rest = parent.partition("://")
    host, *parts = rest.rstrip("/").split("/")
    for part in module.url.split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise _refusal(module, "climbs above the server's root", "write its URL in full")
    return f"{scheme}{separator}{'/'.join([host, *parts])}"


def _refusal(module: Submodule, fault: str, remedy: str) -> SourceError:
    shown = f" ({show_url(module.url)})" if module.url else ""
    return SourceError(
        Problem(
            f"submodule {module.path[:80]!a}{shown} {fault}",
            origin=Origin(GITMODULES),
            reason="SubmoduleRefused",
            remedy=remedy,
        )
    )
