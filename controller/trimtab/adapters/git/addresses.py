"""Looking up hosts once, so that what is judged is what is connected to.

Host, port and policy flow in, addresses to connect to or a `SourceError` flow out. Runs in a worker; `opening` and
`routes` call it.
"""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from trimtab.core.errors import Problem, SourceError
from trimtab.source.addresses import AddressPolicy
from trimtab.source.failures import refused_address
from trimtab.source.url import show_url

Lookup = Callable[[str, int], list[str]]
"""All addresses of a host; raises socket.gaierror."""


def look_up(host: str, port: int) -> list[str]:
    """What the system's resolver says."""
    rows: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def pinned(
    host: str,
    port: int,
    policy: AddressPolicy,
    *,
    lookup: Lookup = look_up,
    what: str = "the host of spec.url",
    known_elsewhere: bool = False,
) -> tuple[str, ...]:
    """The addresses of a host, all of which the policy allows; none where every address is allowed anyway.

    One refused address refuses the host: whoever names it may choose which of them is taken. Where the name is
    `known_elsewhere` (a proxy resolves it) it need not be known here. Raises SourceError: AddressRefused, HostNotFound.
    """
    if policy.anywhere:
        return ()
    try:
        addresses = lookup(host, port)
    except (socket.gaierror, UnicodeError):
        addresses = []
    for address in addresses:
        if kind := policy.refusal(address):
            raise SourceError(refused_address(host, kind, what=what))
    if not addresses and not known_elsewhere:
        raise SourceError(
            Problem(
                f"{what}, {show_url(host)}, does not resolve",
                reason="HostNotFound",
                remedy="check the name and the cluster's DNS",
                retry=True,
            )
        )
    return tuple(addresses)


def is_address(host: str) -> bool:
    """Whether a host is an address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
