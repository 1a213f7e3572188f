"""Where remote bases may come from: a source's list of URL prefixes, and whether a repository lies below one.

Prefixes as declared and accepted URLs flow in, yes or no flows out. The render stage asks before anything is fetched.
"""

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from trimtab.core.errors import Problem, SourceError
from trimtab.source.url import Place, check_url, place_of


def check_prefix(prefix: str) -> str:
    """The prefix as given. Raises SourceError where it is no URL that a repository could have, or climbs."""
    check_url(prefix)
    _parts(prefix)
    return prefix


def allowed(url: str, prefixes: Iterable[str]) -> bool:
    """Whether the repository at an accepted URL lies at or below a prefix.

    Scheme, host, port and user are the same, and the prefix' path ends where a part of the URL's does. A prefix that is
    none allows nothing.
    """
    wanted = _place(url)
    try:
        parts = _parts(url)
    except SourceError:
        return False
    return any(_below(parts, wanted, prefix) for prefix in prefixes)


def _below(parts: list[str], wanted: Place, prefix: str) -> bool:
    try:
        check_prefix(prefix)
        given = _parts(prefix)
    except SourceError:
        return False
    return _place(prefix) == wanted and parts[: len(given)] == given


def _place(url: str) -> Place:
    place = place_of(url)
    return Place(place.scheme, place.host.lower(), place.port, place.user)


def _parts(url: str) -> list[str]:
    """The parts of the path as a server reads them. Raises SourceError where they climb."""
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    for part in parts:
        if part in (".", "..") or "/" in part or "\\" in part:
            message, remedy = "the URL holds . or .. as a part of its path", "write the path without them"
            raise SourceError(Problem(message, reason="InvalidURL", remedy=remedy))
    return parts
