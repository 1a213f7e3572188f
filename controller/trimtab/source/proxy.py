"""The proxy of a source, as its Secret declares it: checked, and shown without its password.

A value flows in, nothing or a `SourceError` flows out. `credentials` and whoever connects call it.
"""

import re
from dataclasses import dataclass
from typing import Final

from trimtab.core.errors import Problem, SourceError

_ADDRESS = re.compile(
    r"(?P<scheme>https?|socks5)://(?P<host>[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(:(?P<port>[1-9][0-9]{0,4}))?/?"
)
_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080}
_MAX_LENGTH: Final = 2048


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it is, as in http://proxy.example.org:3128, and what it asks for."""

    address: str
    username: str = ""
    password: str = ""
    ca_pem: str = ""
    """What the certificate of an https proxy is checked against; empty: the CAs of the system."""

    def __repr__(self) -> str:
        return "Proxy(…)"

    @property
    def scheme(self) -> str:
        """http, https or socks5."""
        return self.address.partition("://")[0]

    @property
    def host(self) -> str:
        """Name or address, without brackets."""
        found = _ADDRESS.fullmatch(self.address)
        return found["host"].strip("[]") if found else ""

    @property
    def port(self) -> int:
        """As declared, else what the scheme stands for."""
        found = _ADDRESS.fullmatch(self.address)
        return int((found and found["port"]) or _PORTS[self.scheme])

    @property
    def shown(self) -> str:
        """For messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def check_proxy(proxy: Proxy) -> None:
    """Refuse what could be taken for something else. Raises SourceError (reason InvalidProxy), showing no value."""
    if "@" in proxy.address:
        raise _refusal("address holds credentials", "put them into username and password, and replace the exposed ones")
    if len(proxy.address) > _MAX_LENGTH or not _ADDRESS.fullmatch(proxy.address) or proxy.port > 65535:
        raise _refusal("address is malformed", "write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
    for field, value in (("username", proxy.username), ("password", proxy.password)):
        if any(ord(c) < 32 or ord(c) == 127 for c in value) or len(value.encode()) > 255:
            raise _refusal(
                f"{field} holds a control character or is longer than 255 bytes",
                "check for a line break at its end: use `echo -n`",
            )
    if ":" in proxy.username:
        raise _refusal("username holds a colon, which basic auth cannot carry", "use a user name without one")
    if proxy.password and not proxy.username:
        raise _refusal("password stands without a username", "set both, or neither")


def _refusal(fault: str, remedy: str) -> SourceError:
    return SourceError(Problem(f"the proxy's {fault}", reason="InvalidProxy", remedy=remedy))
