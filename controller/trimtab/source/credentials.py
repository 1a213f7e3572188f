"""Credentials of a repository: refused where they could change the request that carries them.

User name, password and CA flow in from a Secret; nothing or a `SourceError` that shows none of them flows out. The
Git adapter calls it.
"""

import re
from typing import Final

from trimtab.core.errors import Problem, SourceError

MAX_CREDENTIAL_LENGTH: Final = 8192
MAX_CA_LENGTH: Final = 1024 * 1024
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def check_credentials(username: str, password: str, ca_pem: str) -> None:
    """Refuse what cannot be basic auth or a CA bundle. Raises SourceError (reason InvalidCredentials)."""
    for field, value in (("username", username), ("password", password)):
        if any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise _refusal(field, "holds a control character", "check for a line break at its end: use `echo -n`")
        if len(value) > MAX_CREDENTIAL_LENGTH:
            raise _refusal(field, f"is longer than {MAX_CREDENTIAL_LENGTH} characters", "use an access token")
    if ":" in username:
        raise _refusal("username", "holds a colon, which basic auth cannot carry", "use a user name without one")
    if ca_pem and (len(ca_pem) > MAX_CA_LENGTH or not _CERTIFICATE.search(ca_pem)):
        raise _refusal("ca.crt", "holds no PEM certificate", "put the CA there as -----BEGIN CERTIFICATE-----")
    if "PRIVATE KEY-----" in ca_pem:
        raise _refusal("ca.crt", "holds a private key", "put certificates only there, and replace the exposed key")


def _refusal(field: str, fault: str, remedy: str) -> SourceError:
    return SourceError(Problem(f"{field} of the Secret {fault}", reason="InvalidCredentials", remedy=remedy))
