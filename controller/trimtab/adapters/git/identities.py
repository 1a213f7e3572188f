"""Which mirror serves which repository and credentials: names of folders that tell nothing of either.

URL and credentials flow in, a folder's name flows out. `mirrors` calls it.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from trimtab.reconcile.ports import GitCredentials

_SALT_BYTES: Final = 32
# The name lies on disk, where somebody might try passwords on it: each try shall cost about 10 ms and 4 MB.
_SCRYPT_N: Final = 1 << 12


class Identities:
    """Names are stable over restarts, by a salt beside the mirrors; they are derived once per process."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._names: dict[tuple[str, str, str, str], str] = {}

    @classmethod
    def at(cls, path: Path) -> "Identities":
        """With the salt in that file, which is made where it is missing or damaged."""
        try:
            salt = path.read_bytes()
        except FileNotFoundError:
            salt = b""
        if len(salt) != _SALT_BYTES:
            salt = os.urandom(_SALT_BYTES)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(salt)
            fresh.replace(path)
        return cls(salt)

    def name(self, url: str, credentials: GitCredentials | None) -> str:
        """32 hexadecimal digits. Another password or CA means another mirror: what one may read, the other may not."""
        given = credentials or GitCredentials()
        key = (url, given.username, given.password, given.ca_pem)
        if key not in self._names:
            text = "\0".join(key).encode()
            if any(key[1:]):
                digest = hashlib.scrypt(text, salt=self._salt, n=_SCRYPT_N, r=8, p=1, dklen=16)
            else:
                digest = hashlib.sha256(self._salt + text).digest()[:16]
            self._names[key] = digest.hex()
        return self._names[key]
