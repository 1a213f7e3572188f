"""Addresses in OCI registries: `oci://host[:port]/path` taken apart and checked before any request is made of it.

A declared URL flows in, an `OciAddress` or a `SourceError` flows out. The registry client builds its requests of it.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from trimtab.core.errors import Problem, SourceError
from trimtab.source.url import check_url, show_url

_SCHEME: Final = "oci://"
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_DOCKER_HUB: Final = frozenset({"docker.io", "index.docker.io"})
_DOCKER_HUB_SERVER: Final = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class OciAddress:
    """A repository of a registry; `host` with its port where one is given."""

    host: str
    name: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises SourceError (reason InvalidURL)."""
        if not url.startswith(_SCHEME):
            raise _refusal(
                f"{show_url(url)}: an OCI repository's URL begins with oci://", "write oci://HOST/REPOSITORY"
            )
        # What no URL may hold is refused in the words of all others: credentials, white space, queries.
        check_url(f"https://{url.removeprefix(_SCHEME)}")
        host, _, name = url.removeprefix(_SCHEME).partition("/")
        name = name.rstrip("/")
        if not _HOST.fullmatch(host):
            raise _refusal(f"{show_url(url)}: the host name is missing or malformed", "write oci://HOST/REPOSITORY")
        if not _NAME.fullmatch(name) or len(name) > 255:
            raise _refusal(
                f"{show_url(url)}: the repository's name is missing or malformed",
                "write it in lower case and without a tag, which goes into spec.ref.tag",
            )
        if host in _DOCKER_HUB and "/" not in name:
            name = f"library/{name}"
        return cls(host, name)

    @property
    def server(self) -> str:
        """The host that answers requests: the Docker Hub has another one than the one in its names."""
        return _DOCKER_HUB_SERVER if self.host in _DOCKER_HUB else self.host

    def api(self, *, insecure: bool) -> str:
        """The root of the repository's API."""
        return f"{'http' if insecure else 'https'}://{self.server}/v2/{self.name}"

    def __str__(self) -> str:
        return f"{_SCHEME}{self.host}/{self.name}"


def check_tag(tag: str) -> str:
    """The tag as given where it is well-formed. Raises SourceError (reason InvalidRef)."""
    if not _TAG.fullmatch(tag):
        message = f"ref.tag {tag[:80]!a} is no tag"
        remedy = "use up to 128 letters, digits, dots, dashes and underscores"
        raise SourceError(Problem(message, reason="InvalidRef", remedy=remedy))
    return tag


def check_digest(digest: str) -> str:
    """The digest as given where it is a SHA-256. Raises SourceError (reason InvalidRef)."""
    if not _DIGEST.fullmatch(digest):
        message = f"{digest[:80]!a} is no SHA-256 digest"
        raise SourceError(Problem(message, reason="InvalidRef", remedy="write sha256: and 64 hexadecimal digits"))
    return digest


def is_digest(text: object) -> bool:
    """Whether it is a SHA-256 digest."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_tag(text: object) -> bool:
    """Whether it is a well-formed tag."""
    return isinstance(text, str) and _TAG.fullmatch(text) is not None


def _refusal(message: str, remedy: str) -> SourceError:
    return SourceError(Problem(message, reason="InvalidURL", remedy=remedy))
