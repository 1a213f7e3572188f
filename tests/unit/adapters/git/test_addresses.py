"""Looking hosts up: what is judged is what is connected to, and one refused address refuses the host."""

import socket

import pytest

from trimtab.adapters.git.addresses import is_address, pinned
from trimtab.core.errors import SourceError
from trimtab.source.addresses import ANYWHERE, AddressPolicy


def unknown(host: str, port: int) -> list[str]:
    raise socket.gaierror(-2, "Name or service not known")


def test_where_everything_is_allowed_nothing_is_looked_up():
    assert pinned("git.test", 443, ANYWHERE, lookup=unknown) == ()


def test_public_addresses_are_pinned_all():
    found = ["1.1.1.1", "2606:4700::1111"]
    assert pinned("git.test", 443, AddressPolicy(), lookup=lambda host, port: found) == tuple(found)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:169.254.169.254"]])
def test_one_refused_address_refuses_the_host_and_is_not_told(found):
    with pytest.raises(SourceError) as caught:
        pinned("git.test", 443, AddressPolicy(), lookup=lambda host, port: found)
    assert caught.value.reason == "AddressRefused"
    assert found[-1] not in str(caught.value)


def test_an_unknown_name_is_an_error_unless_a_proxy_resolves_it():
    with pytest.raises(SourceError) as caught:
        pinned("git.test", 443, AddressPolicy(), lookup=unknown)
    assert (caught.value.reason, caught.value.retry) == ("HostNotFound", True)
    assert pinned("git.test", 443, AddressPolicy(), lookup=unknown, known_elsewhere=True) == ()


def test_what_is_an_address():
    assert [is_address(host) for host in ("127.0.0.1", "::1", "git.test", "0x7f.1")] == [True, True, False, False]
