"""Which mirror serves which repository and credentials: names of folders that tell nothing of either.

URL and credentials flow in, a folder's name flows out. `mirrors` calls it.
"""

import hashlib
import json
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
        self._names: dict[tuple[str, GitCredentials], str] = {}

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
        """32 hexadecimal digits. Another credential, CA or proxy means another mirror.

        What one may read, the other may not.
        """
        given = credentials or GitCredentials()
        if (url, given) not in self._names:
            if given == GitCredentials():
                digest = hashlib.sha256(self._salt + url.encode()).digest()[:16]
            else:
                text = json.dumps([url, given.to_body()], sort_keys=True).encode()
                digest = hashlib.scrypt(text, salt=self._salt, n=_SCRYPT_N, r=8, p=1, dklen=16)
            self._names[url, given] = digest.hex()
        return self._names[url, given]
