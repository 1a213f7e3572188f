"""Private SSH keys are unlocked in memory, and only where they are locked."""

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from trimtab.adapters.git.ssh_identity import unlocked
from trimtab.core.errors import SourceError
from trimtab.source.ssh_keys import encrypted

ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    ("key", "layout"),
    [
        (ED25519, form.PrivateFormat.OpenSSH),
        (RSA, form.PrivateFormat.TraditionalOpenSSL),
        (RSA, form.PrivateFormat.PKCS8),
    ],
)
def test_the_password_opens_it(key, layout):
    locked = key.private_bytes(form.Encoding.PEM, layout, form.BestAvailableEncryption(b"canary")).decode()
    assert encrypted(locked)
    plain = unlocked(locked, "canary")
    assert not encrypted(plain)
    opened = form.load_ssh_private_key(plain.encode(), None)
    assert opened.public_key() == key.public_key()
    with pytest.raises(SourceError) as caught:
        unlocked(locked, "canary-no")
    assert caught.value.reason == "InvalidCredentials"
    assert "canary" not in str(caught.value)


def test_one_without_a_password_is_left_as_it_is_with_an_end_of_line():
    plain = ED25519.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()).decode()
    assert unlocked(plain, "") == plain
    assert unlocked(plain.rstrip("\n"), "unused") == plain
