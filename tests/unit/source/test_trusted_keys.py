"""Keys are told apart by what they are, whatever their entries are called."""

import base64

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.trusted_keys import MAX_BYTES, trusted_keys

PGP = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQEN\n-----END PGP PUBLIC KEY BLOCK-----\n"


def blob(kind="ssh-ed25519"):
    return base64.b64encode(len(kind).to_bytes(4) + kind.encode() + b"\0" * 36).decode()


KEY = f"ssh-ed25519 {blob()}"


def test_entries_are_sorted_by_content():
    keys = trusted_keys({"z": PGP, "a.pub": f"{KEY} ada@example.org\n".encode(), "revoked_keys": b"any"})
    assert keys.pgp == (("z", PGP),)
    assert keys.allowed_signers == f"ada@example.org {KEY}\n"
    assert keys.revoked == b"any"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("ada.pub", f"{KEY} ada@example.org", f"ada@example.org {KEY}"),
        ("ada.pub", f"# words\n\n  {KEY}\r\n", f"ada.pub {KEY}"),
        ("ada.pub", f"{KEY} *", f"ada.pub {KEY}"),
        ("a b", f"{KEY} !x,*", f"unnamed {KEY}"),
        ("s", f"*@example.org,bob {KEY} words", f"*@example.org,bob {KEY} words"),
        (
            "s",
            f'a valid-before="20260601",namespaces="git"\t{KEY}',
            f'a valid-before="20260601",namespaces="git" {KEY}',
        ),
        ("s", f"*@example.org cert-authority {KEY}", f"*@example.org cert-authority {KEY}"),
    ],
)
def test_ssh_keys_become_allowed_signers(name, text, line):
    assert trusted_keys({name: text.encode()}).allowed_signers == f"{line}\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "holds no public key"),
        ({"revoked_keys": KEY.encode()}, "holds no public key"),
        ({"a": b""}, "a of the Secret of verify.secretRef holds no public key"),
        ({"a": b"\xff\xfe"}, "holds no public key"),
        ({"a": b"words of no meaning"}, "holds no public key"),
        ({"a": b"ssh-ed25519"}, "holds no public key"),
        ({"a": b"ssh-ed25519 !!!"}, "holds no public key"),
        ({"a": f"ssh-rsa {blob()}".encode()}, "holds no public key"),
        ({"a": f"ada\x1b[31m {KEY}".encode()}, "holds no public key"),
        ({"a\n": b"x"}, "an entry of the Secret"),
        ({"a": b"-----BEGIN OPENSSH PRIVATE KEY-----"}, "private key"),
        ({"a": PGP + b"-----BEGIN PGP PRIVATE KEY BLOCK-----"}, "private key"),
        ({"a": b"x" * (MAX_BYTES + 1)}, "larger than"),
    ],
)
def test_anything_else_is_refused(data, words):
    with pytest.raises(SourceError, match=words) as caught:
        trusted_keys(data)
    assert caught.value.reason == "SecretInvalid"


def test_equal_keys_have_equal_digests():
    one, other = {"a": KEY.encode(), "b": PGP}, {"b": PGP, "a": KEY.encode()}
    assert trusted_keys(one).digest == trusted_keys(other).digest
    assert trusted_keys(one).digest != trusted_keys({"a": KEY.encode()}).digest
