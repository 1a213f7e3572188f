"""Keys for sops from the data of a Secret, by the names of its entries, which are Flux' own.

The Secret's data flows in, `DecryptionKeys` or a `RenderError` flows out; the decryption stage takes them.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trimtab.core.errors import Problem, RenderError

_AGE: Final = ".agekey"
_PGP: Final = ".asc"
SERVICES: Final = {
    "sops.aws-kms": "kms",
    "sops.gcp-kms": "gcp_kms",
    "sops.azure-kv": "azure_kv",
    "sops.vault-token": "hc_vault",
}
"""Entries with credentials of key services, and the names of these in the metadata of files."""
_ADDRESSES: Final = "sops.vault-address"
_AZURE_ADDRESSES: Final = "sops.azure-kv-address"
_AGE_KEY: Final = re.compile(r"^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$", re.MULTILINE)
_ARMOUR: Final = re.compile(
    rb"-----BEGIN PGP PRIVATE KEY BLOCK-----\r?\n(?:[A-Za-z]+: [^\n]*\n)*\r?\n?([A-Za-z0-9+/=\s]+?)"
    rb"(?:\n=[A-Za-z0-9+/]{4}\s*)?\n?-----END PGP PRIVATE KEY BLOCK-----"
)


@dataclass(frozen=True, slots=True)
class DecryptionKeys:
    """age keys as a file of them, PGP keys as a keyring, credentials by service; `repr` shows none of it."""

    age: bytes = b""
    pgp: bytes = b""
    services: Mapping[str, bytes] = field(default_factory=dict)
    vault_addresses: str = ""
    """Comma-separated: which servers may get the Vault token. Files come from Git, and so do the addresses in them."""
    azure_addresses: tuple[str, ...] = ()
    """Vaults beside those of Azure's own domains, such as `https://vault.local.azurestack.external`."""

    def __repr__(self) -> str:
        return "DecryptionKeys(…)"


def decryption_keys(data: Mapping[str, bytes], secret: str) -> DecryptionKeys:
    """Sort the entries of the Secret of that name. Raises RenderError where one is not what its name says."""
    age: list[bytes] = []
    pgp: list[bytes] = []
    for name, value in sorted(data.items()):
        if name.endswith(_AGE):
            text = value.decode(errors="replace")
            if not _AGE_KEY.search(text.replace("\r", "")):
                raise _refusal(secret, name, "holds no age key", "put the file there that age-keygen writes")
            age.append(value.strip() + b"\n")
        elif name.endswith(_PGP):
            blocks = _ARMOUR.findall(value)
            if not blocks:
                raise _refusal(secret, name, "holds no PGP private key", "gpg --export-secret-keys --armor makes it")
            pgp += [_packets(secret, name, block) for block in blocks]
    services = {service: data[name].strip() for name, service in SERVICES.items() if data.get(name)}
    if not age and not pgp and not services:
        raise RenderError(
            Problem(
                f"the Secret {secret} of decryption.secretRef holds no key",
                remedy="name age keys *.agekey and PGP keys *.asc",
                reason="DecryptionFailed",
            )
        )
    vaults, azure = _addresses(data, _ADDRESSES), _addresses(data, _AZURE_ADDRESSES)
    if "hc_vault" in services and not vaults:
        message = f"holds a Vault token and no {_ADDRESSES}"
        raise _refusal(secret, "an entry", message, "say there which servers may get it, such as https://vault.example")
    azure = tuple(address.rstrip("/") for address in azure)
    return DecryptionKeys(b"".join(age), b"".join(pgp), services, ",".join(vaults), azure)


def _addresses(data: Mapping[str, bytes], name: str) -> tuple[str, ...]:
    return tuple(data.get(name, b"").decode(errors="replace").replace(",", " ").split())


def _packets(secret: str, name: str, block: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(block.split()), validate=True)
    except binascii.Error:
        raise _refusal(secret, name, "is no readable PGP key", "gpg --export-secret-keys --armor makes it") from None


def _refusal(secret: str, name: str, fault: str, remedy: str) -> RenderError:
    message = f"{name} of the Secret {secret} of decryption.secretRef {fault}"
    return RenderError(Problem(message, remedy=remedy, reason="DecryptionFailed"))
