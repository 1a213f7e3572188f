"""Opening a remote: what one git command is given to reach a server, by URL, credentials and policy.

All that flows in was checked; a Remote flows out for as long as a block runs. Keys and certificates lie in memory that
ends with it, passwords in the environment of the command. Runs in a worker; `fetching` calls it.
"""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import trimtab
from trimtab.adapters.git.addresses import Lookup, is_address, look_up, pinned
from trimtab.adapters.git.environment import basic_token, http_environment, ssh_environment
from trimtab.adapters.git.memory_files import in_memory
from trimtab.adapters.git.remote import Remote
from trimtab.adapters.git.ssh_command import ssh_command
from trimtab.adapters.git.ssh_identity import unlocked
from trimtab.source.addresses import AddressPolicy
from trimtab.source.credentials import GitCredentials
from trimtab.source.proxy import Proxy
from trimtab.source.url import Place, place_of

_PROXY: Final = "the proxy of spec.proxySecretRef"
_TUNNEL: Final = "trimtab.adapters.git.tunnel"


@contextmanager
def opened(
    url: str, credentials: GitCredentials, addresses: AddressPolicy, *, lookup: Lookup = look_up
) -> Iterator[Remote]:
    """A Remote for as long as the block runs. Raises SourceError: AddressRefused, HostNotFound, InvalidCredentials."""
    place = place_of(url)
    with ExitStack() as stack:
        if place.scheme == "ssh":
            yield _over_ssh(url, place, credentials, addresses, stack=stack, lookup=lookup)
        else:
            yield _over_http(url, place, credentials, addresses, stack=stack, lookup=lookup)


def _over_http(
    url: str, place: Place, given: GitCredentials, policy: AddressPolicy, *, stack: ExitStack, lookup: Lookup
) -> Remote:
    at = pinned(place.host, place.port, policy, lookup=lookup, known_elsewhere=given.proxy is not None)
    pins = [_pin(place.host, place.port, at)]
    proxy = given.proxy
    if proxy:
        pins.append(
            _pin(proxy.host, proxy.port, pinned(proxy.host, proxy.port, policy.for_proxy, lookup=lookup, what=_PROXY))
        )
    environment = http_environment(
        authorization=authorization(given),
        ca_path=in_memory(given.ca_pem, stack),
        certificate_path=in_memory(given.certificate, stack),
        key_path=in_memory(given.certificate_key, stack),
        pins=[pin for pin in pins if pin],
        proxy=_proxy_url(proxy, pinned_target=bool(at)) if proxy else "",
        proxy_ca_path=in_memory(proxy.ca_pem, stack) if proxy else "",
    )
    return Remote(url, environment, _secrets(given), proxy=proxy)


def _over_ssh(
    url: str, place: Place, given: GitCredentials, policy: AddressPolicy, *, stack: ExitStack, lookup: Lookup
) -> Remote:
    identity = in_memory(unlocked(given.identity, given.password), stack)
    known = in_memory(given.known_hosts, stack)
    tunnel: dict[str, str] = {}
    address = command = ""
    if given.proxy:
        tunnel = _tunnel(url, place, given.proxy, policy, lookup=lookup)
        command = shlex.join([sys.executable, "-P", "-m", _TUNNEL])
    else:
        at = pinned(place.host, place.port, policy, lookup=lookup)
        address = at[0] if at else ""
    quiet, verbose = (
        ssh_environment(
            ssh_command(
                place,
                identity=identity,
                known_hosts=known,
                address=address,
                proxy_command=command,
                verbose=verbose,
            )
        )
        | tunnel
        for verbose in (False, True)
    )
    return Remote(url, quiet, _secrets(given), verbose=verbose, known_hosts=given.known_hosts, proxy=given.proxy)


def _tunnel(url: str, place: Place, proxy: Proxy, policy: AddressPolicy, *, lookup: Lookup) -> dict[str, str]:
    # Only where it is needed, for its memory.
    from trimtab.adapters.git.routes import route_to
    from trimtab.adapters.git.tunnel import VARIABLE

    route = route_to(place.host, place.port, policy, url=url, proxy=proxy, lookup=lookup)
    return {VARIABLE: json.dumps(route.to_body()), "PYTHONPATH": str(Path(trimtab.__file__).parent.parent)}


def authorization(given: GitCredentials) -> str:
    """What stands in the header of that name; the empty string for nothing."""
    if given.bearer_token:
        return f"Bearer {given.bearer_token}"
    if given.username or given.password:
        return f"Basic {basic_token(given.username, given.password)}"
    return ""


def _pin(host: str, port: int, addresses: tuple[str, ...]) -> str:
    """In place of the HTTP library's own look-up; a host that is an address is not looked up."""
    if not addresses or is_address(host):
        return ""
    return f"{host}:{port}:{','.join(f'[{each}]' if ':' in each else each for each in addresses)}"


def _proxy_url(proxy: Proxy, *, pinned_target: bool) -> str:
    """SOCKS can name the server by name or by address: by that which was judged, where one was."""
    scheme = "socks5h" if proxy.scheme == "socks5" and not pinned_target else proxy.scheme
    login = f"{quote(proxy.username, safe='')}:{quote(proxy.password, safe='')}@" if proxy.username else ""
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    return f"{scheme}://{login}{host}:{proxy.port}"


def _secrets(given: GitCredentials) -> tuple[str, ...]:
    """All spellings under which a secret could come back in a server's words."""
    found = [given.password, given.bearer_token]
    if given.username or given.password:
        found.append(basic_token(given.username, given.password))
    if given.proxy:
        found += [given.proxy.password, quote(given.proxy.password, safe="")]
        found.append(basic_token(given.proxy.username, given.proxy.password))
    return tuple(filter(None, found))
