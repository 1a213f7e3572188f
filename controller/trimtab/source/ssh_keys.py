"""SSH keys as Secrets hold them: whether a private key needs a password, and which host keys are known.

`identity` and `known_hosts` flow in, facts about them or a `SourceError` that shows no key flow out. ssh itself decides
about a host; what is said here explains its refusal. The Git adapter and `credentials` call it.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from trimtab.core.errors import Problem, SourceError

MAX_LENGTH: Final = 256 * 1024
_IDENTITY = re.compile(
    r"\s*-----BEGIN (?P<kind>(?:[A-Z]+ )?PRIVATE KEY)-----\n(?P<body>[^\x00]+?)\n-----END (?P=kind)-----\s*"
)
_MAGIC: Final = b"openssh-key-v1\0"


@dataclass(frozen=True, slots=True)
class KnownHost:
    """One line of known_hosts."""

    marker: str
    hosts: str
    kind: str
    fingerprint: str

    def names(self, host: str) -> bool:
        """Whether the line speaks of a host, which is `name` or `[name]:port`."""
        if self.hosts.startswith("|1|"):
            return _hashed(self.hosts, host)
        names = self.hosts.lower().split(",")
        if any(name.startswith("!") and _fits(name[1:], host) for name in names):
            return False
        return any(_fits(name, host) for name in names)

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint}"


def check_identity(identity: str, *, has_password: bool) -> None:
    """Refuse what is no private key, and an encrypted one without its password. Raises SourceError."""
    found = _IDENTITY.fullmatch(identity) if len(identity) <= MAX_LENGTH else None
    if found is None:
        raise _refusal(
            "identity", "holds no private key", "put there the file that `ssh-keygen` made, from BEGIN to END"
        )
    if encrypted(identity) and not has_password:
        raise _refusal("identity", "is encrypted", "put its passphrase beside it as password")


def encrypted(identity: str) -> bool:
    """Whether a private key in PEM or OpenSSH's own form needs a password."""
    found = _IDENTITY.fullmatch(identity)
    if found is None:
        return False
    if "ENCRYPTED" in identity:
        return True
    if found["kind"] != "OPENSSH PRIVATE KEY":
        return False
    try:
        data = base64.b64decode("".join(found["body"].split()))
    except binascii.Error:
        return False
    start = len(_MAGIC)
    length = int.from_bytes(data[start : start + 4])
    return data.startswith(_MAGIC) and data[start + 4 : start + 4 + length] != b"none"


def known_hosts(text: str) -> tuple[KnownHost, ...]:
    """The lines that hold a host key; others are passed over, as ssh does."""
    if len(text) > MAX_LENGTH:
        return ()
    return tuple(host for line in text.splitlines() if (host := _known_host(line)))


def host_alias(host: str, port: int) -> str:
    """How known_hosts calls a server."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def _known_host(line: str) -> KnownHost | None:
    words = line.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#"):
        return None
    hosts, kind, key = words[:3]
    try:
        data = base64.b64decode(key, validate=True)
    except binascii.Error:
        return None
    # The key repeats its type: what does not is no key.
    if kind.encode() != data[4 : 4 + int.from_bytes(data[:4])]:
        return None
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return KnownHost(marker, hosts, kind, f"SHA256:{digest}")


def _hashed(hosts: str, host: str) -> bool:
    _, _, salt, wanted = (*hosts.split("|"), "", "", "")[:4]
    try:
        digest = hmac.new(base64.b64decode(salt), host.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(digest, base64.b64decode(wanted))
    except binascii.Error:
        return False


def _fits(pattern: str, host: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), host))


def _refusal(field: str, fault: str, remedy: str) -> SourceError:
    return SourceError(Problem(f"{field} of the Secret {fault}", reason="InvalidCredentials", remedy=remedy))
