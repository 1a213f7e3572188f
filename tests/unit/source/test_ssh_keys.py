"""SSH keys: which private keys need a password, and what known_hosts says of a server."""

import base64

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.ssh_keys import check_identity, encrypted, host_alias, known_hosts

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIGmFkH0l2FTVYkpFNLXbLTQOJmWKRRjDyoUZZkrN6q3i"


def openssh(cipher: bytes) -> str:
    body = base64.b64encode(b"openssh-key-v1\0" + len(cipher).to_bytes(4) + cipher + b"rest").decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n"


PLAIN = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"
LOCKED = PLAIN.replace("AAAA", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA")
LOCKED_PKCS8 = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("identity", "locked"),
    [
        (PLAIN, False),
        (LOCKED, True),
        (LOCKED_PKCS8, True),
        (openssh(b"none"), False),
        (openssh(b"aes256-ctr"), True),
        (PLAIN.replace("RSA", "OPENSSH").replace("AAAA", "A"), False),
        ("nonsense", False),
    ],
)
def test_which_keys_need_a_password(identity, locked):
    assert encrypted(identity) is locked


def test_an_encrypted_key_without_its_password_is_refused():
    check_identity(PLAIN, has_password=False)
    check_identity(LOCKED, has_password=True)
    with pytest.raises(SourceError, match="encrypted"):
        check_identity(LOCKED, has_password=False)


@pytest.mark.parametrize(
    "identity",
    ["", "canary", "ssh-ed25519 canary", PLAIN.replace("END RSA", "END EC"), PLAIN + "canary", "x" * 300_000],
)
def test_what_is_no_private_key_is_refused_without_showing_it(identity):
    with pytest.raises(SourceError) as caught:
        check_identity(identity, has_password=False)
    assert caught.value.reason == "InvalidCredentials"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("hosts", "alias", "named"),
    [
        ("git.example.org", "git.example.org", True),
        ("git.example.org", "[git.example.org]:2222", False),
        ("[git.example.org]:2222", "[git.example.org]:2222", True),
        ("a.example,GIT.example.org", "git.example.org", True),
        ("*.example.org", "git.example.org", True),
        ("gi?.example.org", "git.example.org", True),
        ("*.example.org,!git.example.org", "git.example.org", False),
        ("git.example.org.evil", "git.example.org", False),
        ("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=", "192.168.1.61", True),
        ("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=", "192.168.1.62", False),
        ("|1|!|x", "192.168.1.62", False),
    ],
)
def test_whom_a_line_names(hosts, alias, named):
    (line,) = known_hosts(f"{hosts} ssh-ed25519 {ED25519} comment\n")
    assert line.names(alias) is named


def test_lines_without_a_key_are_passed_over():
    text = f"# a comment\n\nhost\nhost ssh-ed25519 !!!\nhost ssh-rsa {ED25519}\n@revoked host ssh-ed25519 {ED25519}\n"
    (line,) = known_hosts(text)
    assert line.marker == "@revoked"
    assert str(line) == f"ssh-ed25519 {line.fingerprint}"
    assert line.fingerprint.startswith("SHA256:")
    assert known_hosts("x" * 300_000) == ()


def test_how_known_hosts_calls_a_server():
    assert host_alias("Git.example.org", 22) == "git.example.org"
    assert host_alias("::1", 2222) == "[::1]:2222"
