"""The port `Verifier` by a list of who signed what."""

from trimtab.source.signed_object import ObjectKind, SignatureFormat, SignedObject, refusal
from trimtab.source.signers import Signer
from trimtab.source.trusted_keys import TrustedKeys


class FakeVerifier:
    """`signers` holds the signer of each SHA, `tags` the name and target of each tag object."""

    def __init__(self) -> None:
        self.signers: dict[str, Signer] = {}
        self.tags: dict[str, tuple[str, str]] = {}
        self.expired: set[str] = set()
        self.asked: list[tuple[ObjectKind, str, str]] = []

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
        """Who signed, if anybody did."""
        assert raw == sha.encode()
        self.asked.append((kind, sha, keys.allowed_signers))
        if sha not in self.signers or (sha in self.expired and not accept_expired_now):
            raise refusal(f"the {kind} is not signed", "sign it")
        name, target = self.tags.get(sha, ("", ""))
        signed = SignedObject(kind, SignatureFormat.SSH, raw, b"", 0, name, target)
        return signed, self.signers[sha]
