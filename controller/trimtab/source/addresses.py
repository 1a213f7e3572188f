"""Which network addresses a source may be at: refused are those that only this cluster, node or pod can reach.

Resolved addresses flow in, the kind of a refused one or nothing flows out. Whoever connects for a source asks, and then
connects to the very address that was judged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

_Address = IPv4Address | IPv6Address
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_SITE_LOCAL: Final = IPv6Network("fec0::/10")
_COMPATIBLE: Final = IPv6Network("::/96")
_METADATA: Final = frozenset(
    map(ip_address, ("169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254"))
)
"""Where clouds hand out credentials to their machines; some lie in networks that are public else."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Public addresses, the networks `allowed` besides; with `anywhere` all there are.

    With `proxy_anywhere` the proxy may be at any address though the host may not.
    """

    allowed: tuple[str, ...] = ()
    anywhere: bool = False
    proxy_anywhere: bool = False

    @property
    def for_content(self) -> "AddressPolicy":
        """For hosts that the content of a source names: whoever pushes names them, not who declared the source.

        The proxy on the way there is declared, and stays where it may be.
        """
        return AddressPolicy(self.allowed, proxy_anywhere=self.anywhere or self.proxy_anywhere)

    @property
    def for_proxy(self) -> "AddressPolicy":
        """For the proxy on the way."""
        return replace(self, anywhere=True) if self.proxy_anywhere else self

    def refusal(self, address: str) -> str:
        """What kind of address this is where it is refused (`loopback`, `private` …), else the empty string."""
        if self.anywhere:
            return ""
        forms = _forms(address)
        if self._allows(forms[0]):
            return ""
        return next((kind for form in forms if (kind := _kind(form)) and not self._allows(form)), "")

    def to_body(self) -> dict[str, Any]:
        """A JSON-like form."""
        return {"allowed": list(self.allowed), "anywhere": self.anywhere, "proxy_anywhere": self.proxy_anywhere}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "AddressPolicy":
        """The inverse of `to_body`; what nobody filled in allows public addresses only."""
        flags = {name: bool(body.get(name, False)) for name in ("anywhere", "proxy_anywhere")}
        return cls(tuple(body.get("allowed", ())), **flags)

    def _allows(self, address: _Address) -> bool:
        return any(address in ip_network(network) for network in self.allowed)


ANYWHERE: Final = AddressPolicy(anywhere=True)


@dataclass(frozen=True, slots=True)
class NamespaceAddresses:
    """Who may reach what: sources of the controller's `own` namespace everything, unless it is `restricted` as well."""

    own: str
    allowed: tuple[str, ...] = ()
    restricted: bool = False

    def of(self, namespace: str) -> AddressPolicy:
        """The policy for the sources of a namespace."""
        return AddressPolicy(self.allowed, anywhere=namespace == self.own and not self.restricted)


def is_no_server(address: str) -> bool:
    """Whether no server of anybody is at an address, in whatever spelling: link-local ones, and those of metadata."""
    return any(
        form.is_link_local or form.is_unspecified or form.is_multicast or form in _METADATA for form in _forms(address)
    )


def check_networks(networks: Iterable[str]) -> tuple[str, ...]:
    """Networks such as 10.1.0.0/16 or fd00::/8, or single addresses. Raises ValueError on others, naming the text."""
    checked = []
    for network in networks:
        try:
            checked.append(str(ip_network(network.strip())))
        except ValueError:
            raise ValueError(f"{network!a} is no network: write it like 10.1.0.0/16") from None
    return tuple(checked)


def _forms(address: str) -> tuple[_Address, ...]:
    """The address, and those that it stands for."""
    parsed = ip_address(address.partition("%")[0])
    return (parsed, *_embedded(parsed))


def _embedded(address: _Address) -> tuple[_Address, ...]:
    """The IPv4 addresses that an IPv6 address stands for: the packets reach those."""
    if isinstance(address, IPv4Address):
        return ()
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def _kind(address: _Address) -> str:
    if address.is_unspecified:
        return "unspecified"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if address in _METADATA and address.is_global:
        return "metadata"
    if isinstance(address, IPv6Address) and (address in _COMPATIBLE or address in _SITE_LOCAL):
        return "reserved"
    if isinstance(address, IPv6Address) and (_embedded(address) or address in _NAT64[0]):
        # What it stands for is judged by itself.
        return ""
    if address.is_reserved:
        return "reserved"
    return "" if address.is_global else "private"
