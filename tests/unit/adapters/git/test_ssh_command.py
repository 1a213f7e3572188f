"""The ssh command: fixed, without configuration, agent or questions; of users only the checked host and user."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.git.ssh_command import ssh_command
from trimtab.source.url import Place

PLACE = Place("ssh", "git.test", 2222, "git")


def options(command: str) -> dict[str, str]:
    words = shlex.split(command)
    assert words[:3] == ["ssh", "-F", "none"]
    assert set(words[3::2]) == {"-o"}
    return dict(word.split("=", 1) for word in words[4::2])


def test_it_reads_nothing_of_the_user_and_asks_nothing():
    found = options(ssh_command(PLACE, identity="/proc/1/fd/3", known_hosts="/proc/1/fd/4"))
    assert found["BatchMode"] == found["StrictHostKeyChecking"] == found["IdentitiesOnly"] == "yes"
    assert found["IdentityAgent"] == found["GlobalKnownHostsFile"] == found["ProxyCommand"] == "none"
    assert found["IdentityFile"] == "/proc/1/fd/3"
    assert found["UserKnownHostsFile"] == "/proc/1/fd/4"
    assert found["PasswordAuthentication"] == found["ForwardAgent"] == found["PermitLocalCommand"] == "no"
    assert "HostName" not in found


def test_a_pinned_address_keeps_the_name_for_the_host_key():
    found = options(ssh_command(PLACE, identity="/i", known_hosts="/k", address="1.1.1.1", proxy_command="tunnel 50%"))
    assert found["HostName"] == "1.1.1.1"
    assert found["HostKeyAlias"] == "[git.test]:2222"
    assert found["ProxyCommand"] == "tunnel 50%%"


@given(st.text(max_size=20))
def test_whatever_a_host_is_it_stays_one_word(host):
    place = Place("ssh", host, 22, "git")
    assert options(ssh_command(place, identity="/i", known_hosts="/k"))["HostKeyAlias"] == host.lower()
