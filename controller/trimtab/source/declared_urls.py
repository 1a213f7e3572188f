"""Whether what one URL was declared for holds for another: of the same scheme, host and port, and at or below its path.

Two URLs flow in, how much of the path they share flows out. Credentials of declared repositories go by it to what
charts depend on, so that whatever could be read in two ways shares nothing.
"""

import re
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443, "oci": 443}
_SEGMENT: Final = re.compile(r"(?!\.+$)[A-Za-z0-9._~+-]+")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*")
_HUB: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})

_Place = tuple[str, str, int, tuple[str, ...]]


def shared(declared: str, wanted: str) -> int:
    """How many steps of the path the declared URL has, plus one, where it covers the wanted one; else 0."""
    mine, theirs = _place(declared), _place(wanted)
    if mine is None or theirs is None or mine[:3] != theirs[:3]:
        return 0
    path = mine[3]
    return len(path) + 1 if theirs[3][: len(path)] == path else 0


def _place(url: str) -> _Place | None:
    """Scheme, host, port and steps of the path; None for what is not plain."""
    if not (url.isascii() and url.isprintable()) or any(mark in url for mark in " \\@?#%"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower().removesuffix(".")
    if scheme not in _PORTS or not _HOST.fullmatch(host) or port == 0 or parts.netloc.endswith(":"):
        return None
    host = "docker.io" if scheme == "oci" and host in _HUB else host
    steps = tuple(parts.path.strip("/").split("/")) if parts.path.strip("/") else ()
    if not all(_SEGMENT.fullmatch(step) for step in steps):
        return None
    return scheme, host, port or _PORTS[scheme], steps
