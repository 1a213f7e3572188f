"""Repository URLs: which are accepted, and how any URL or text around one is shown without its secrets.

A declared URL flows in, the same URL or a `SourceError` flows out. The Git adapter calls it before git sees anything.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from trimtab.core.errors import Problem, SourceError

SCHEMES: Final = ("https", "http", "ssh")
"""What git may speak; anything else, such as `ext::` and `file://`, can run programs or read local files."""
MAX_URL_LENGTH: Final = 2048
MAX_SHOWN_LENGTH: Final = 2000

_PORTS: Final = {"https": 443, "http": 80, "ssh": 22}
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_SCP_LIKE = re.compile(r"(?:([A-Za-z0-9_][A-Za-z0-9._-]*)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!//)/?([^:@\\]+)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_PORT = re.compile(r":[0-9]+$")
_USERINFO = re.compile(r"://\S*@")
_QUERY = re.compile(r"(://[^\s?#]*)[?#]\S*")
_AUTHORIZATION = re.compile(r"(authorization:\s*)[^\r\n]*", re.IGNORECASE)
_ENOUGH_TO_SHOW: Final = 65536


def check_url(url: str) -> str:
    """The URL as given where git may be told it. Raises SourceError (reason InvalidURL) with the remedy otherwise."""
    if not url:
        raise _refusal("the URL is empty", "set spec.url to the https URL of the repository")
    if len(url) > MAX_URL_LENGTH:
        raise _refusal(f"the URL is longer than {MAX_URL_LENGTH} characters", "use a shorter URL")
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise _refusal(
            "the URL holds white space, a backslash, a control character or one outside ASCII",
            "percent-encode it, and check the line for a stray line break",
        )
    if url.startswith("-"):
        raise _refusal("the URL begins with a dash", "begin it with https://")
    parts = _split(url)
    if parts.scheme not in SCHEMES or not url[len(parts.scheme) :].startswith("://"):
        raise _refusal(f"{show_url(url)}: only https, http and ssh URLs are accepted", _rewritten(url))
    user, at, _ = parts.netloc.rpartition("@")
    if at and not (parts.scheme == "ssh" and _USER.fullmatch(user)):
        raise _refusal(
            f"{show_url(url)}: credentials inside the URL are refused",
            "put username and password into a Secret and name it in spec.secretRef; replace the exposed credentials",
        )
    if not _HOST.fullmatch(_host(parts.netloc.rpartition("@")[2])):
        raise _refusal(f"{show_url(url)}: the host name is missing or malformed", "write https://HOST/PATH")
    if "?" in url or "#" in url:
        raise _refusal(f"{show_url(url)}: a query or fragment is no part of a repository's URL", "remove it")
    if parts.scheme == "ssh" and len(parts.path) < 2:
        raise _refusal(f"{show_url(url)}: the path is missing", "write ssh://git@HOST/PATH")
    return url


@dataclass(frozen=True, slots=True)
class Place:
    """Where an accepted URL leads: host (without brackets), port and, for SSH, the user (`git` where none is named)."""

    scheme: str
    host: str
    port: int
    user: str = ""


def place_of(url: str) -> Place:
    """Take an accepted URL apart."""
    parts = urlsplit(url)
    user = (parts.username or "git") if parts.scheme == "ssh" else ""
    host = _host(parts.netloc.rpartition("@")[2]).strip("[]")
    return Place(parts.scheme, host, parts.port or _PORTS[parts.scheme], user)


def server_of(url: str) -> str:
    """Host and port of any text that may be an URL, in lower case; empty where there is none."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].lower()


def scheme_of(url: str) -> str:
    """The scheme of any text that may be an URL, in lower case; empty where there is none."""
    scheme, separator, _ = url.partition("://")
    return scheme.lower() if separator else ""


def show_url(url: str) -> str:
    """An URL, valid or not, without user information, query and fragment: for messages, status and logs."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    before, at, after = rest.rpartition("@")
    user = before if scheme == "ssh" and before == "git" else "…"
    shown = f"{scheme}{separator}{f'{user}@' if at else ''}{after}"
    return _clean(re.split(r"[?#]", shown, maxsplit=1)[0])[:MAX_SHOWN_LENGTH]


def redact(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Any text of git or a server, fit to be shown: one line, no credential in any URL or header, no known secret."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    text = text[:_ENOUGH_TO_SHOW]
    text = _AUTHORIZATION.sub(r"\1…", text)
    text = _USERINFO.sub("://…@", text)
    text = _QUERY.sub(r"\1", text)
    return _clean(text)[:MAX_SHOWN_LENGTH]


def _rewritten(url: str) -> str:
    """The remedy for an URL of another kind; the short form that git and scp take is spelled out."""
    found = _SCP_LIKE.fullmatch(url)
    if found is None or "://" in url or "::" in url:
        return "begin it with https:// or ssh://"
    user, host, path = found.groups()
    return f"write ssh://{user or 'git'}@{host}/{path}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refusal(f"{show_url(url)}: the URL is malformed", "write https://HOST[:PORT]/PATH") from None
    if port == 0 or parts.netloc.endswith(":"):
        raise _refusal(f"{show_url(url)}: the port is malformed", "write https://HOST[:PORT]/PATH")
    return parts


def _host(netloc: str) -> str:
    """The host with its brackets, without the port; `SplitResult.hostname` would drop the brackets and what follows."""
    return _PORT.sub("", netloc)


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _refusal(message: str, remedy: str) -> SourceError:
    return SourceError(Problem(message, reason="InvalidURL", remedy=remedy))
