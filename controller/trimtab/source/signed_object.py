"""Signed commits and tags, taken apart: the bytes that were signed, the signature, and what the object says of itself.

The raw bytes of a Git object flow in, `SignedObject` or a `SourceError` flows out; the verifier calls it. Whatever
could be read in two ways is refused: which bytes a signature covers must not be a matter of opinion.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1, sha256
from typing import Final

from trimtab.core.errors import Problem, SourceError

MAX_OBJECT_BYTES: Final = 1024 * 1024
MAX_SIGNATURE_BYTES: Final = 64 * 1024
_HEADERS: Final = {40: b"gpgsig", 64: b"gpgsig-sha256"}
"""The header of a commit's signature, by the length of the repository's object names."""
_TIME: Final = re.compile(rb".*> (\d{1,12}) [+-]\d{4}")
_NAME: Final = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")


class ObjectKind(StrEnum):
    """Git objects that may be signed."""

    COMMIT = "commit"
    TAG = "tag"


class SignatureFormat(StrEnum):
    """How an object was signed."""

    PGP = "PGP"
    SSH = "SSH"


_BOUNDS: Final = {
    SignatureFormat.PGP: (b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"),
    SignatureFormat.SSH: (b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"),
}
_BEGIN: Final = re.compile(rb"^-----BEGIN [A-Z0-9 ]+-----$", re.MULTILINE)


class NotVerified(SourceError):
    """A commit, tag, artifact or chart is not shown to come from anybody who is trusted."""


@dataclass(frozen=True, slots=True)
class SignedObject:
    """`payload` is what `signature` covers; `time` (seconds since the epoch) and `target` are what the signer wrote.

    `tag` is the name that a tag object gives itself, `target` the object that it names; both are empty for commits.
    """

    kind: ObjectKind
    format: SignatureFormat
    payload: bytes
    signature: bytes
    time: int
    tag: str = ""
    target: str = ""


def read_signed(raw: bytes, kind: ObjectKind, sha: str) -> SignedObject:
    """Take the object `sha` apart. Raises NotVerified where the bytes are not its own, or hold no single signature."""
    if len(raw) > MAX_OBJECT_BYTES:
        raise refusal(f"the {kind} object is larger than {MAX_OBJECT_BYTES} bytes", "shorten its message")
    digest = (sha256 if len(sha) == 64 else sha1)(b"%b %d\0%b" % (kind.encode(), len(raw), raw)).hexdigest()
    if digest != sha:
        raise refusal(f"the bytes of {kind} {sha} do not have this hash", "check the mirror and the server")
    if kind is ObjectKind.COMMIT:
        payload, signature = _of_commit(raw, _HEADERS[len(sha)])
    else:
        payload, signature = _of_tag(raw)
    if not signature:
        raise refusal(f"the {kind} is not signed", f"sign it (git {kind} -S)" if kind == "commit" else "use git tag -s")
    headers = _headers(payload, kind)
    time = _TIME.fullmatch(headers.get(b"committer" if kind is ObjectKind.COMMIT else b"tagger", b""))
    return SignedObject(
        kind,
        _format(signature, kind),
        payload,
        signature,
        int(time[1]) if time else 0,
        headers.get(b"tag", b"").decode(errors="replace") if kind is ObjectKind.TAG else "",
        _target(headers) if kind is ObjectKind.TAG else "",
    )


def refusal(message: str, remedy: str, *, retry: bool = True) -> NotVerified:
    """The error of an object that does not pass."""
    return NotVerified(Problem(message, reason="VerificationFailed", remedy=remedy, retry=retry))


def _of_commit(raw: bytes, name: bytes) -> tuple[bytes, bytes]:
    """A commit without its signature headers, and the signature of this repository's object format.

    The header of the other format is no part of what was signed either, so Git leaves both out.
    """
    head, separator, body = raw.partition(b"\n\n")
    kept: list[bytes] = []
    signatures: dict[bytes, list[bytes]] = {}
    lines: list[bytes] | None = None
    for line in head.split(b"\n"):
        key, _, rest = line.partition(b" ")
        if line.startswith(b" ") and lines is not None:
            lines.append(line[1:])
            continue
        lines = None
        if key in _HEADERS.values():
            if key in signatures:
                raise refusal("the commit holds several signatures", "sign it once")
            lines = signatures[key] = [rest]
        else:
            kept.append(line)
    signature = b"".join(line + b"\n" for line in signatures.get(name, ()))
    return b"\n".join(kept) + separator + body, signature


def _of_tag(raw: bytes) -> tuple[bytes, bytes]:
    """A tag's signature stands at its end; it begins at the first line that begins one, and nothing may follow it."""
    _, _, body = raw.partition(b"\n\n")
    begins = [begin for begin, _ in _BOUNDS.values()]
    starts = [match.start() for match in _BEGIN.finditer(body) if match[0] in begins]
    if not starts:
        return raw, b""
    start = len(raw) - len(body) + starts[0]
    return raw[:start], raw[start:]


def _format(signature: bytes, kind: ObjectKind) -> SignatureFormat:
    """Which format a text of exactly one armoured block is in."""
    text = signature.rstrip(b"\n")
    if len(signature) > MAX_SIGNATURE_BYTES:
        raise refusal(f"the signature of the {kind} is larger than {MAX_SIGNATURE_BYTES} bytes", "sign it anew")
    for found, (begin, end) in _BOUNDS.items():
        if text.startswith(begin + b"\n") and text.endswith(b"\n" + end):
            if text.count(b"-----BEGIN ") > 1 or text.count(b"-----END ") > 1:
                raise refusal(f"the {kind} holds several signatures", "sign it once")
            return found
    raise refusal(f"the {kind} is signed in a way that is not known", "sign it with GPG or SSH")


def _headers(payload: bytes, kind: ObjectKind) -> dict[bytes, bytes]:
    """The headers by name. Raises NotVerified where one stands there twice that may not."""
    found: dict[bytes, bytes] = {}
    for line in payload.partition(b"\n\n")[0].split(b"\n"):
        key, _, rest = line.partition(b" ")
        if key in found and key in (b"tree", b"author", b"committer", b"object", b"type", b"tag", b"tagger"):
            raise refusal(f"the {kind} holds the header {key.decode()} twice", "make it anew")
        found[key] = rest
    return found


def _target(headers: dict[bytes, bytes]) -> str:
    """The commit that a tag names. A tag of a tag is not followed: who signed the outer one did not see the inner."""
    target = headers.get(b"object", b"")
    if headers.get(b"type") != b"commit" or not _NAME.fullmatch(target):
        raise refusal("the tag names no commit", "tag the commit itself")
    return target.decode()
