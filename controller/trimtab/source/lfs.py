"""Git LFS: pointers that stand for large files, and the messages by which a server gives out the files.

Bytes of files and JSON of a server flow in, pointers and checked downloads flow out. The Git adapter and the renderer
call it; the format is git-lfs' specification v1, the messages those of its batch API.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from trimtab.core.errors import Problem, SourceError
from trimtab.source.submodules import same_host
from trimtab.source.url import show_url

MAX_POINTER_BYTES: Final = 1024
"""A file as large or larger is no pointer."""
MEDIA_TYPE: Final = "application/vnd.git-lfs+json"
_MAX_HEADERS: Final = 20
_STORE_HEADERS: Final = ("x-amz-", "x-goog-", "x-ms-")
"""How the headers of the large stores begin (S3, Google, Azure)."""
_START: Final = b"version https://git-lfs.github.com/spec/v1\n"
_OID: Final = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_SIZE: Final = re.compile(rb"^size ([0-9]{1,18})$", re.MULTILINE)
_HEADER: Final = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, order=True)
class Pointer:
    """The SHA-256 (hex) and size of a file."""

    oid: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Download:
    """Where a file is to be had; `headers` may hold credentials for that place, and `repr` shows none."""

    pointer: Pointer
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def pointer_of(data: bytes) -> Pointer | None:
    """What the bytes of a file point to; None where they are no pointer."""
    if len(data) >= MAX_POINTER_BYTES or not data.startswith(_START):
        return None
    oid, size = _OID.search(data), _SIZE.search(data)
    return Pointer(oid.group(1).decode(), int(size.group(1))) if oid and size else None


def batch_url(repository_url: str) -> str:
    """Where a repository's server is asked for files."""
    base = repository_url.rstrip("/")
    return f"{base if base.endswith('.git') else base + '.git'}/info/lfs/objects/batch"


def batch_request(pointers: Iterable[Pointer]) -> dict[str, Any]:
    """The question for these files, which are to be sent as they are."""
    return {
        "operation": "download",
        "transfers": ["basic"],
        "hash_algo": "sha256",
        "objects": [{"oid": each.oid, "size": each.size_bytes} for each in pointers],
    }


def downloads(answer: object, wanted: Iterable[Pointer], *, url: str) -> list[Download]:
    """Where each wanted file is. Raises SourceError where the answer does not say so of all."""
    objects = answer.get("objects") if isinstance(answer, dict) else None
    by_oid = {one["oid"]: one for one in objects or () if isinstance(one, dict) and isinstance(one.get("oid"), str)}
    return [_download(pointer, by_oid.get(pointer.oid), url) for pointer in wanted]


def _download(pointer: Pointer, found: Mapping[str, Any] | None, url: str) -> Download:
    if found is None:
        raise refusal(url, f"the LFS server says nothing of {pointer.oid[:12]}")
    if error := found.get("error"):
        code = error.get("code") if isinstance(error, dict) else None
        raise refusal(url, f"the LFS server has no {pointer.oid[:12]}" + (f" ({code})" if code else ""))
    actions = found.get("actions")
    action = actions.get("download") if isinstance(actions, dict) else None
    href = action.get("href") if isinstance(action, dict) else None
    if not isinstance(action, dict) or not isinstance(href, str) or not _may_fetch(url, href):
        raise refusal(url, f"the LFS server names no acceptable address for {pointer.oid[:12]}")
    headers = action.get("header") or {}
    if not isinstance(headers, dict) or len(headers) > _MAX_HEADERS or not all(map(_sound, headers.items())):
        raise refusal(url, f"the LFS server names malformed headers for {pointer.oid[:12]}")
    own = same_host(url, href)
    return Download(pointer, href, {name: value for name, value in headers.items() if _needed(name.lower(), own=own)})


def refusal(url: str, message: str, *, reason: str = "LfsFailed") -> SourceError:
    """An error of the LFS server of a repository."""
    return SourceError(
        Problem(
            f"{show_url(url)}: {message}",
            reason=reason,
            remedy="push the missing files with `git lfs push --all`, and check that the credentials may read them",
            retry=True,
        )
    )


def _may_fetch(repository_url: str, href: str) -> bool:
    """An https repository's files come by https, too; no user information, no control characters."""
    try:
        parts = urlsplit(href)
        _ = parts.port  # Numbers that are no ports are told by asking.
    except ValueError:
        return False
    schemes = ("https",) if repository_url.startswith("https:") else ("https", "http")
    return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc and href.isprintable()


def _needed(name: str, *, own: bool) -> bool:
    """Whether a header that the server asks for is sent: what stores of objects sign, and at home what proves a right.

    Others would let whoever serves LFS send what services of other kinds listen to, say those of clouds for metadata.
    """
    return name.startswith(_STORE_HEADERS) or name == "accept" or (own and name == "authorization")


def _sound(header: tuple[object, object]) -> bool:
    name, value = header
    return (
        isinstance(name, str) and isinstance(value, str) and _HEADER.fullmatch(name) is not None and value.isprintable()
    )
