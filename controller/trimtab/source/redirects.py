"""Where a download may be led to: redirects are followed, without what proves who we are where they lead elsewhere.

An URL and the Location that answered it flow in, the next URL or a `SourceError` flows out. The HTTP client calls it.
"""

from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from trimtab.core.errors import Problem, SourceError
from trimtab.source.url import show_url

MAX_REDIRECTS: Final = 5
MAX_LENGTH: Final = 8192
_PORTS: Final = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what credentials belong to. Raises SourceError (reason InvalidURL)."""
    parts = _split(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS[parts.scheme]


def next_hop(url: str, location: str) -> str:
    """The URL that a redirect leads to. Raises SourceError where it is none, gives up TLS or holds credentials."""
    if not location:
        raise _refusal(f"{show_url(url)}: the server redirects without saying where to", "Redirected")
    target = _joined(url, location)
    parts = _split(target)
    if parts.scheme == "http" and url.startswith("https:"):
        message = f"{show_url(url)}: the server redirects to {show_url(target)}, which gives up TLS"
        raise _refusal(message, "Redirected")
    return target


def download_url(base: str, reference: str) -> str:
    """The URL of a file of a repository, which may be told relative to the repository's own. Raises SourceError."""
    target = _joined(base.rstrip("/") + "/", reference)
    _split(target)
    return target


def _joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference.strip())
    except ValueError:
        raise _refusal(f"{show_url(base)}: it leads to an URL that is malformed", "InvalidURL") from None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refusal(f"{show_url(url)}: the URL is malformed", "InvalidURL") from None
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= MAX_LENGTH
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or not plain:
        raise _refusal(f"{show_url(url)}: only well-formed http and https URLs are followed", "InvalidURL")
    if "@" in parts.netloc:
        raise _refusal(f"{show_url(url)}: credentials inside the URL are refused", "InvalidURL")
    return parts


def _refusal(message: str, reason: str) -> SourceError:
    remedy = "correct the server, or the URL that it was asked by"
    return SourceError(Problem(message, reason=reason, remedy=remedy, retry=True))
