"""Names resolved once, judged, and connected to as judged: what a name means cannot change between check and use.

A rule over addresses flows in, a resolver for aiohttp flows out. The HTTP client makes one for each session.
"""

import ipaddress
import socket
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from trimtab.core.errors import Problem, SourceError
from trimtab.source.addresses import AddressPolicy, is_no_server

AddressRule = Callable[[str, str], str]
"""A host name and one of its addresses → why it must not be connected to, or the empty string."""


def no_link_local(_host: str, address: str) -> str:
    """Refuses link-local and unspecified addresses, where clouds keep credentials and no registry ever is."""
    if is_no_server(address):
        return "link-local, unspecified and multicast addresses, and those of clouds for metadata, are refused"
    return ""


def within(policy: AddressPolicy) -> AddressRule:
    """Refuses what a policy refuses; where it allows all there is, still what no registry ever is at."""

    def rule(host: str, address: str) -> str:
        if policy.anywhere:
            return no_link_local(host, address)
        kind = policy.refusal(address)
        return f"{kind} addresses are refused to this source" if kind else ""

    return rule


class PinnedResolver(AbstractResolver):
    """Resolves by the system and hands on only addresses that the rule lets pass."""

    def __init__(self, rule: AddressRule) -> None:
        self._rule = rule
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises SourceError (AddressRefused) where one of them is refused."""
        found = await self._system.resolve(host, port, family)
        for each in found:
            check_address(host, each["host"], self._rule)
        return found

    async def close(self) -> None:
        """Nothing is kept open."""
        await self._system.close()


def check_literal(host: str, rule: AddressRule) -> None:
    """Judge a host that is an address itself, for which nobody asks a resolver. Raises SourceError."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    check_address(host, host, rule)


def check_address(host: str, address: str, rule: AddressRule) -> None:
    """Raises SourceError (reason AddressRefused) where the rule refuses the address."""
    if fault := rule(host, address):
        remedy = "use a host at another address, or have an administrator allow it by --source-network"
        raise SourceError(Problem(f"{host}: {fault}", reason="AddressRefused", remedy=remedy, retry=True))
