"""Addresses: whatever only this cluster, node or pod can reach is refused, in every spelling."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.source.addresses import ANYWHERE, AddressPolicy, NamespaceAddresses, check_networks

PUBLIC = AddressPolicy()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("198.18.0.1", "private"),
        ("192.0.2.1", "private"),
        ("fd00:ec2::254", "private"),
        ("168.63.129.16", "metadata"),
        ("192.0.0.192", "metadata"),
        ("::ffff:168.63.129.16", "metadata"),
        ("64:ff9b::a83f:8110", "metadata"),
        ("100.100.100.200", "private"),
        ("fc00::1", "private"),
        ("2001:db8::1", "private"),
        ("fec0::1", "reserved"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::ffff:a00:1", "private"),
        ("::7f00:1", "reserved"),
        ("2002:7f00:1::", "loopback"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::a00:1", "private"),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "private"),
    ],
)
def test_what_is_not_public_is_refused(address, kind):
    assert PUBLIC.refusal(address) == kind
    assert ANYWHERE.refusal(address) == ""


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "172.32.0.1"])
def test_what_is_public_is_not(address):
    assert PUBLIC.refusal(address) == ""


def test_allowed_networks_open_themselves_only():
    policy = AddressPolicy(check_networks(["10.1.0.0/16", " 127.0.0.1 ", "fd00::/8"]))
    assert policy.refusal("10.1.2.3") == ""
    assert policy.refusal("::ffff:10.1.2.3") == ""
    assert policy.refusal("fd12::1") == ""
    assert policy.refusal("127.0.0.1") == ""
    assert policy.refusal("10.2.0.1") == "private"
    assert policy.refusal("127.0.0.2") == "loopback"


@pytest.mark.parametrize("network", ["10.1.0.1/16", "10.0.0.0/33", "everything", ""])
def test_what_is_no_network_is_refused(network):
    with pytest.raises(ValueError, match="is no network"):
        check_networks([network])


@given(st.ip_addresses())
def test_allowed_is_only_what_the_standard_calls_global(address):
    if PUBLIC.refusal(str(address)) == "":
        embedded = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
        nat64 = address in ipaddress.ip_network("64:ff9b::/96") or address in ipaddress.ip_network("64:ff9b:1::/48")
        assert address.is_global or embedded or nat64 or getattr(address, "teredo", None)
        assert not address.is_loopback
        assert not address.is_link_local


def test_only_the_own_namespace_may_go_anywhere():
    rules = NamespaceAddresses("trimtab-system", allowed=("10.0.0.0/8",))
    assert rules.of("trimtab-system") == AddressPolicy(("10.0.0.0/8",), anywhere=True)
    assert rules.of("team-a") == AddressPolicy(("10.0.0.0/8",))
    strict = NamespaceAddresses("trimtab-system", restricted=True)
    assert strict.of("trimtab-system") == strict.of("team-a") == PUBLIC


def test_hosts_that_content_names_are_never_anywhere_but_the_proxy_stays_where_it_is_declared():
    own = NamespaceAddresses("trimtab-system", allowed=("10.0.0.0/8",)).of("trimtab-system")
    content = own.for_content
    assert own.refusal("127.0.0.1") == own.for_proxy.refusal("127.0.0.1") == ""
    assert content.refusal("127.0.0.1") == "loopback"
    assert content.refusal("10.0.0.1") == ""
    assert content.for_proxy.refusal("127.0.0.1") == ""
    assert content.for_content == content
    assert PUBLIC.for_content == PUBLIC.for_proxy == PUBLIC


def test_a_policy_survives_the_way_to_a_worker():
    for policy in (PUBLIC, ANYWHERE, ANYWHERE.for_content, AddressPolicy(("10.0.0.0/8",))):
        assert AddressPolicy.from_body(policy.to_body()) == policy
    assert AddressPolicy.from_body({}) == PUBLIC
