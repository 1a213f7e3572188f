"""Who signed, and what the programs that check signatures say: read so that nothing of it can be misread.

Status lines of gpg and the answer of ssh-keygen flow in, a `Signer` or a `SourceError` flows out; the verifier calls
it. Exit codes alone prove too little: gpg ends well for any good signature, also one by a key that nobody asked for.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from trimtab.core.visible import one_line
from trimtab.source.signed_object import NotVerified, refusal

MAX_NAME_CHARACTERS: Final = 200
_STATUS: Final = "[GNUPG:] "
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_WEAK_HASHES: Final = frozenset({"1", "2", "3"})
"""MD5, SHA-1 and RIPEMD-160, by their numbers in OpenPGP."""
_VERDICTS: Final = frozenset({"GOODSIG", "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"})
_GOOD_SSH: Final = re.compile(r'Good "git" signature for (\S+) with (\S+) key (SHA256:[A-Za-z0-9+/]{43})')


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, as the key names its owner, and the key's whole fingerprint."""

    by: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.by} ({self.fingerprint})"


def imported(status: str) -> frozenset[str]:
    """Fingerprints of the primary keys that gpg has taken in."""
    return frozenset(
        words[2]
        for words in _status(status)
        if words[0] == "IMPORT_OK" and len(words) > 2 and _is_fingerprint(words[2])
    )


def gpg_signer(status: str, trusted: Collection[str], *, texts: int = 0, accept_expired_now: bool = False) -> Signer:
    """Who signed, from the status lines of gpg. Raises NotVerified unless it is one good signature.

    `texts` is how many texts must have stood in the signature's file: none, or the one of a clear-signed text.
    `trusted` holds the fingerprints of the primary keys given. A key that has expired by now is refused, unless
    `accept_expired_now` is set and the signature was made before.
    """
    lines = _status(status)
    verdicts = [words for words in lines if words[0] in _VERDICTS]
    proofs = [words for words in lines if words[0] == "VALIDSIG"]
    # Text within a detached signature's file: what is vouched for may be that, and not the object.
    inline = sum(words[0] == "PLAINTEXT" for words in lines)
    if inline != texts or len(verdicts) != 1 or sum(words[0] == "NEWSIG" for words in lines) > 1:
        raise refusal("gpg found no single signature", "sign it once, by a key of verify.secretRef")
    ((verdict, *rest),) = verdicts
    key = _key(rest)
    if verdict == "ERRSIG":
        raise _untrusted(key)
    if verdict == "BADSIG":
        raise refusal(f"the signature of key {key} does not fit: it was tampered with", "sign it anew")
    if verdict == "REVKEYSIG":
        raise refusal(f"key {key} that signed it has been revoked", "sign it with another key")
    if verdict == "EXPSIG":
        raise refusal(f"the signature of key {key} has expired", "sign it anew")
    if len(proofs) != 1 or len(proofs[0]) < 11:
        raise refusal(f"gpg does not vouch for the signature of key {key}", "sign it anew")
    proof = proofs[0]
    primary = proof[10]
    if not _is_fingerprint(primary) or primary not in trusted:
        raise _untrusted(primary if _is_fingerprint(primary) else key)
    if proof[8] in _WEAK_HASHES:
        raise refusal(f"the signature of key {primary} rests on a broken hash function", "sign it with SHA-256")
    if verdict == "EXPKEYSIG":
        expired = [int(words[1]) for words in lines if words[0] == "KEYEXPIRED" and words[1:] and words[1].isdigit()]
        made = int(proof[3]) if proof[3].isdigit() else 0
        if not (accept_expired_now and expired and made and made <= min(expired)):
            raise refusal(
                f"key {primary} that signed it has expired", "renew the key in verify.secretRef, or sign anew"
            )
    return Signer(_shown(" ".join(rest[1:])), primary)


def ssh_signer(output: str, code: int) -> Signer | None:
    """Who signed, from the words of `ssh-keygen -Y verify`; None where it found no good signature."""
    found = _GOOD_SSH.fullmatch(output.strip())
    if code or found is None:
        return None
    return Signer(_shown(found[1], escaped=False), found[3])


def ssh_refusal(output: str) -> NotVerified:
    """Why there is no good SSH signature, from ssh-keygen's words, none of which are passed on."""
    if "expired" in output or "not yet valid" in output:
        return refusal("the SSH key that signed it was, or is by now, not valid", "sign it anew with a valid key")
    if "incorrect signature" in output or "Signature verification failed" in output:
        return refusal("the SSH signature does not fit: it was tampered with", "sign it anew")
    if "namespace" in output:
        return refusal("the SSH signature was not made for Git", "sign it with git")
    return refusal("it is signed by an SSH key that is not in verify.secretRef", "add the key, or use another")


def _status(status: str) -> list[list[str]]:
    """The words of each status line, its keyword first; gpg escapes whatever could break a line."""
    rows = (line.removeprefix(_STATUS).split(" ") for line in status.split("\n") if line.startswith(_STATUS))
    return [words for words in rows if words[0]]


def _untrusted(key: str) -> NotVerified:
    return refusal(
        f"it is signed by key {key}, which is not in verify.secretRef", "add the key there, or sign with one of them"
    )


def _key(words: list[str]) -> str:
    found = words[0] if words else ""
    return found if re.fullmatch(r"[0-9A-Fa-f]{8,64}", found) else "of unknown name"


def _is_fingerprint(text: str) -> bool:
    return bool(_FINGERPRINT.fullmatch(text))


def _shown(name: str, *, escaped: bool = True) -> str:
    text = unquote_to_bytes(name).decode(errors="replace") if escaped else name
    return one_line(text)[:MAX_NAME_CHARACTERS]


def by_object(signers: Mapping[str, Signer]) -> str:
    """A sentence of who signed what."""
    return " and ".join(f"the {kind} is signed by {signer}" for kind, signer in signers.items())
