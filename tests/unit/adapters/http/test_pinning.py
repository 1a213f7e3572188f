"""Which addresses downloads may go to."""

import pytest

from trimtab.adapters.http.pinning import check_literal, within
from trimtab.core.errors import SourceError
from trimtab.source.addresses import ANYWHERE, AddressPolicy


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "0.0.0.0",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "::169.254.169.254",
        "ff02::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:192.0.0.192",
    ],
)
def test_what_no_registry_is_at_is_refused_whatever_is_allowed(address: str) -> None:
    assert "refused" in within(ANYWHERE)("registry.example", address)


@pytest.mark.parametrize(("address", "kind"), [("127.0.0.1", "loopback"), ("10.1.2.3", "private"), ("::1", "loopback")])
def test_a_policy_decides_about_the_rest(address: str, kind: str) -> None:
    assert within(ANYWHERE)("registry.example", address) == ""
    assert within(AddressPolicy())("registry.example", address).startswith(kind)
    assert within(AddressPolicy(allowed=(address,)))("registry.example", address) == ""


def test_an_address_in_place_of_a_name_is_judged_too() -> None:
    with pytest.raises(SourceError, match=r"10\.0\.0\.1: private addresses are refused.*--source-network") as caught:
        check_literal("10.0.0.1", within(AddressPolicy()))
    assert caught.value.reason == "AddressRefused"
    check_literal("registry.example", within(AddressPolicy()))
