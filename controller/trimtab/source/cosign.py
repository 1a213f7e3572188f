"""Signatures of OCI artifacts as cosign makes them with a key: whether one of some public keys signed a digest.

Bytes of public keys, of signed payloads and of signatures flow in, the name of the key that fits or the reason why none
does flows out. The registry adapter fetches what is judged here.

Two forms are known: simple signing, found under the tag `sha256-<digest>.sig`, and the bundle, found as a referrer.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from trimtab.core.errors import Problem, SourceError

SIMPLE_SIGNING: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE_ANNOTATION: Final = "dev.cosignproject.cosign/signature"
BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_PAYLOAD_BYTES: Final = 1024 * 1024
_PAYLOAD_TYPE: Final = "cosign container image signature"
_STATEMENT_TYPE: Final = "application/vnd.in-toto+json"
_SIGNED: Final = "https://sigstore.dev/cosign/sign/v1"
"""The predicate of a signature. Attestations, signed by the same keys, say other things about an artifact."""
_MIN_RSA_BITS: Final = 2048

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must have been signed: a manifest's digest, under a name if `reference` says one."""

    digest: str
    reference: str = ""


def signature_tag(digest: str) -> str:
    """The tag under which signatures of a manifest are kept."""
    return f"{digest.replace(':', '-')}.sig"


def referrers_tag(digest: str) -> str:
    """The tag of the index of referrers, for registries that keep none themselves."""
    return digest.replace(":", "-")


def public_keys(files: Mapping[str, bytes]) -> dict[str, PublicKey]:
    """The keys of all files ending in .pub, by file name. Raises SourceError (reason SecretInvalid)."""
    keys = {name: _public_key(name, content) for name, content in sorted(files.items()) if name.endswith(".pub")}
    if not keys:
        message = "the Secret of verify.secretRef has no public key"
        raise SourceError(Problem(message, reason="SecretInvalid", remedy="put cosign.pub into it"))
    return keys


def signer(payload: bytes, signature: str, wanted: Wanted, keys: Mapping[str, PublicKey]) -> str:
    """The name of the key that made a simple signature; empty where it is none of ours, or about something else."""
    name = _who_signed(payload, signature, keys)
    return name if name and _says(payload, wanted) else ""


def bundle_signer(bundle: bytes, wanted: Wanted, keys: Mapping[str, PublicKey]) -> str:
    """The same for a bundle: a signed statement that the digest was signed."""
    envelope = _part(_json(bundle), "dsseEnvelope")
    kind, encoded, signatures = envelope.get("payloadType"), envelope.get("payload"), envelope.get("signatures")
    statement = _decoded(encoded)
    if kind != _STATEMENT_TYPE or statement is None or not isinstance(signatures, list):
        return ""
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(statement), statement)
    for each in signatures[:10]:
        found = each.get("sig") if isinstance(each, dict) else None
        name = _who_signed(message, found, keys) if isinstance(found, str) else ""
        if name and _states(_json(statement), wanted):
            return name
    return ""


def _says(payload: bytes, wanted: Wanted) -> bool:
    critical = _part(_json(payload), "critical")
    told = _part(critical, "identity").get("docker-reference")
    return (
        critical.get("type") == _PAYLOAD_TYPE
        and _part(critical, "image").get("docker-manifest-digest") == wanted.digest
        and wanted.reference in ("", told)
    )


def _states(statement: dict[str, Any], wanted: Wanted) -> bool:
    subjects = statement.get("subject")
    if statement.get("predicateType") != _SIGNED or not isinstance(subjects, list):
        return False
    algorithm, _, digits = wanted.digest.partition(":")
    return any(
        isinstance(each, dict)
        and _part(each, "digest").get(algorithm) == digits
        and wanted.reference in ("", each.get("name"))
        for each in subjects[:100]
    )


def _who_signed(message: bytes, signature: str, keys: Mapping[str, PublicKey]) -> str:
    raw = _decoded(signature)
    return next((name for name, key in keys.items() if raw is not None and _fits(key, raw, message)), "")


def _fits(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        match key:
            case EllipticCurvePublicKey():
                key.verify(signature, message, ECDSA(hashes.SHA256()))
            case Ed25519PublicKey():
                key.verify(signature, message)
            case RSAPublicKey():
                key.verify(signature, message, PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _public_key(name: str, content: bytes) -> PublicKey:
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise _refused_key(name, "holds no PEM public key") from None
    if isinstance(key, RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
        raise _refused_key(name, f"holds an RSA key of less than {_MIN_RSA_BITS} bits")
    if not isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey):
        raise _refused_key(name, "holds a key that is neither ECDSA nor RSA nor Ed25519")
    return key


def _refused_key(name: str, fault: str) -> SourceError:
    remedy = "put there what `cosign public-key` prints"
    return SourceError(Problem(f"{name[:80]} of the Secret {fault}", reason="SecretInvalid", remedy=remedy))


def _json(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _decoded(text: object) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
