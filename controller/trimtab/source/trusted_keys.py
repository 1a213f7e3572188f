"""The keys that a repository's commits may be signed with, sorted from the data of a Secret by what each entry holds.

The Secret's data flows in, `TrustedKeys` or a `SourceError` flows out; the loop calls it, the verifier takes them. As
with Flux the names of the entries do not matter, but `revoked_keys`, which takes SSH keys away again.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from trimtab.core.errors import Problem, SourceError

REVOKED: Final = "revoked_keys"
MAX_BYTES: Final = 1024 * 1024
_PGP: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_KEY_TYPE: Final = re.compile(
    r"(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)"
)
_PRINCIPAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+-]{0,200}")


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """PGP keys by the name of their entry, SSH keys as an allowed_signers file, and SSH keys revoked.

    `digest` is the same for the same keys.
    """

    pgp: tuple[tuple[str, bytes], ...]
    allowed_signers: str
    revoked: bytes
    digest: str


def trusted_keys(data: Mapping[str, bytes]) -> TrustedKeys:
    """Sort the entries of a Secret. Raises SourceError (SecretInvalid) where one holds no public key, or a private."""
    pgp: list[tuple[str, bytes]] = []
    lines: list[str] = []
    for name, value in sorted(data.items()):
        if len(value) > MAX_BYTES:
            raise _refusal(name, f"is larger than {MAX_BYTES} bytes", "keep the keys of those who sign")
        if b"PRIVATE KEY" in value:
            raise _refusal(name, "holds a private key", "put public keys there only, and replace the exposed one")
        if name == REVOKED:
            continue
        if _PGP in value:
            pgp.append((name, value))
        else:
            lines += _ssh_lines(name, value)
    if not pgp and not lines:
        raise SourceError(
            Problem(
                "the Secret of verify.secretRef holds no public key",
                reason="SecretInvalid",
                remedy="put armoured PGP keys, SSH public keys or allowed_signers there",
                retry=True,
            )
        )
    digest = sha256(repr(sorted(data.items())).encode()).hexdigest()
    return TrustedKeys(tuple(pgp), "".join(f"{line}\n" for line in lines), data.get(REVOKED, b""), digest)


def _ssh_lines(name: str, value: bytes) -> list[str]:
    """The lines of allowed_signers that an entry makes; bare public keys speak for their comment."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise _unknown(name) from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise _unknown(name)
    return [_ssh_line(name, line) for line in lines]


def _ssh_line(name: str, line: str) -> str:
    words = line.split()
    if not line.isprintable() and "\t" not in line:
        raise _unknown(name)
    at = next((i for i, word in enumerate(words) if _KEY_TYPE.fullmatch(word)), None)
    if at is None or at + 1 >= len(words) or not _is_blob(words[at + 1], words[at]):
        raise _unknown(name)
    if at:
        return " ".join(words)
    comment = words[2] if len(words) > 2 else ""
    principal = next((text for text in (comment, name) if _PRINCIPAL.fullmatch(text)), "unnamed")
    return f"{principal} {words[0]} {words[1]}"


def _is_blob(text: str, kind: str) -> bool:
    """Whether a text is a public key of this type: its bytes begin with the type's name."""
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return blob.startswith(len(kind).to_bytes(4) + kind.encode())


def _unknown(name: str) -> SourceError:
    return _refusal(name, "holds no public key", "put armoured PGP keys, SSH public keys or allowed_signers there")


def _refusal(name: str, fault: str, remedy: str) -> SourceError:
    shown = name if _PRINCIPAL.fullmatch(name) else "an entry"
    return SourceError(
        Problem(f"{shown} of the Secret of verify.secretRef {fault}", reason="SecretInvalid", remedy=remedy, retry=True)
    )
