"""Verification as the loop needs it: an object's bytes and keys go in, who signed comes out."""

from typing import Protocol

from trimtab.source.signed_object import ObjectKind, SignedObject
from trimtab.source.signers import Signer
from trimtab.source.trusted_keys import TrustedKeys


class Verifier(Protocol):
    """Checks signatures of Git objects."""

    async def verify(
        self,
        raw: bytes,
        kind: ObjectKind,
        sha: str,
        keys: TrustedKeys,
        *,
        now_seconds: float,
        accept_expired_now: bool = False,
    ) -> tuple[SignedObject, Signer]:
        """What was signed, and by whom. Raises NotVerified, or another SourceError where it cannot be told."""
        ...


class TextVerifier(Protocol):
    """Checks clear-signed texts, such as the provenance of charts."""

    async def opened(self, text: bytes, keys: TrustedKeys) -> tuple[bytes, Signer]:
        """What was signed, and by whom. Raises NotVerified, or another SourceError where it cannot be told."""
        ...
