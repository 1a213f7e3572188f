"""Keys for decryption by the names of their entries, and nothing of them in messages."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import RenderError
from trimtab.render.decryption_keys import DecryptionKeys, decryption_keys

AGE = b"# created: today\n# public key: age1x\nAGE-SECRET-KEY-1QQQ\n"


def armoured(data, headers=b"", checksum=b"=abcd\n"):
    body = base64.encodebytes(data)
    block = b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n" + headers + b"\n" + body + checksum
    return block + b"-----END PGP PRIVATE KEY BLOCK-----\n"


def test_entries_are_taken_by_the_end_of_their_name():
    data = {
        "a.agekey": AGE,
        "b.agekey": b"AGE-SECRET-KEY-PQ-1ZZZ",
        "c.asc": armoured(b"one") + armoured(b"two", b"Comment: x\n", b""),
        "sops.aws-kms": b" aws_access_key_id: x\n",
        "notes": b"words",
    }
    keys = decryption_keys(data, "keys")
    assert keys == DecryptionKeys(AGE + b"AGE-SECRET-KEY-PQ-1ZZZ\n", b"onetwo", {"kms": b"aws_access_key_id: x"})
    assert repr(keys) == "DecryptionKeys(…)"


def test_a_vault_token_goes_to_named_servers_only():
    data = {"sops.vault-token": b"token\n", "sops.vault-address": b"https://a, https://b\n"}
    keys = decryption_keys(data, "keys")
    assert (keys.services, keys.vault_addresses) == ({"hc_vault": b"token"}, "https://a,https://b")


def test_vaults_of_azure_may_be_named_too():
    data = {"sops.azure-kv": b"x", "sops.azure-kv-address": b"https://a/\nhttps://b"}
    assert decryption_keys(data, "keys").azure_addresses == ("https://a", "https://b")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "the Secret keys of decryption.secretRef holds no key"),
        ({"a.txt": AGE}, "holds no key"),
        ({"a.agekey": b"AGE-SECRET words"}, r"a\.agekey of the Secret keys .* holds no age key"),
        ({"a.asc": b"-----BEGIN PGP PUBLIC KEY BLOCK-----"}, "holds no PGP private key"),
        ({"a.asc": armoured(b"one").replace(b"b25l", b"b25")}, "no readable PGP key"),
        ({"sops.vault-token": b"token"}, r"sops\.vault-address"),
        ({"sops.vault-token": b"token", "sops.vault-address": b" ,\n"}, r"sops\.vault-address"),
    ],
)
def test_anything_else_is_refused_without_being_shown(data, words):
    with pytest.raises(RenderError, match=words) as caught:
        decryption_keys(data, "keys")
    assert "AGE-SECRET" not in str(caught.value)


@given(st.binary(min_size=1, max_size=500))
def test_armour_is_taken_off(data):
    assert decryption_keys({"k.asc": armoured(data)}, "keys").pgp == data
