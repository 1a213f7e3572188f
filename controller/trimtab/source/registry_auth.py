"""How a registry wants to be asked: its challenge taken apart, and the credentials for it out of a Docker config.

Header and Secret texts flow in, typed values or a `SourceError` that shows no secret flow out. The registry client and
the reader of Secrets call it.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trimtab.core.errors import Problem, SourceError

_PARAMETER: Final = re.compile(r'([A-Za-z_]{1,40})\s*=\s*(?:"([^"]{0,2000})"|([^\s",]{1,2000}))')
_HUB_NAMES: Final = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for: `basic`, or `bearer` with where to get the token."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenge(header: str) -> Challenge:
    """Read a WWW-Authenticate header of one challenge; unknown ones keep their scheme."""
    scheme, _, rest = header.strip().partition(" ")
    found = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest[:8192])}
    return Challenge(scheme.lower(), found)


def docker_credentials(config: bytes, host: str) -> tuple[str, str] | None:
    """User name and password for a registry out of a `.dockerconfigjson`; None where it names it not.

    Raises SourceError (reason SecretInvalid).
    """
    try:
        body = json.loads(config)
    except (ValueError, RecursionError):
        raise _refusal("is no JSON") from None
    auths = body.get("auths") if isinstance(body, dict) else None
    if not isinstance(auths, dict):
        raise _refusal("has no auths")
    names = _HUB_NAMES if host in _HUB_NAMES else (host,)
    for key, entry in auths.items():
        if _host_of(key) in names and isinstance(entry, dict):
            return _pair(entry, host)
    return None


def _host_of(key: str) -> str:
    return key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/")[0]


def _pair(entry: dict[str, Any], host: str) -> tuple[str, str]:
    username, password, both = entry.get("username"), entry.get("password"), entry.get("auth")
    if isinstance(username, str) and isinstance(password, str) and username:
        return username, password
    if isinstance(both, str) and both:
        try:
            name, colon, word = base64.b64decode(both, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise _refusal(f"has an auth for {host} that is no Base64 of text") from None
        if colon and name:
            return name, word
    if entry.get("identitytoken"):
        raise _refusal(f"has only an identity token for {host}", "store a user name and an access token for it")
    raise _refusal(f"has no user name and password for {host}")


def _refusal(fault: str, remedy: str = "make it by `kubectl create secret docker-registry`") -> SourceError:
    return SourceError(Problem(f".dockerconfigjson of the Secret {fault}", reason="SecretInvalid", remedy=remedy))
