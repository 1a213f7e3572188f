"""A private SSH key as ssh can read it without asking: unlocked in memory where a password protects it.

The key and its password flow in, the key's text or a `SourceError` flows out. Runs in a worker; `remote` calls it.
"""

from trimtab.core.errors import Problem, SourceError
from trimtab.source.ssh_keys import encrypted


def unlocked(identity: str, password: str) -> str:
    """The key without its password. Raises SourceError (InvalidCredentials) where the password does not open it."""
    if not encrypted(identity):
        return identity if identity.endswith("\n") else f"{identity}\n"
    # Only where it is needed: it takes as much memory as the rest of a worker.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form

    is_openssh = "OPENSSH PRIVATE KEY" in identity
    load = form.load_ssh_private_key if is_openssh else form.load_pem_private_key
    try:
        key = load(identity.strip().encode(), password.encode())
        plain = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SourceError(
            Problem(
                "password of the Secret does not open its identity",
                reason="InvalidCredentials",
                remedy="set password to the key's passphrase, or store a key without one",
            )
        ) from None
    return plain.decode()
