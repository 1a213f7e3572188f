"""Verification: whose signature a commit or tag must carry, and who gave it.

GitRepository's spec and status hold it; the loop and report read it.
"""

from enum import StrEnum

from trimtab.api.model import ApiModel, LocalName, cel


class VerificationMode(StrEnum):
    """Which objects must be signed."""

    HEAD = "HEAD"
    TAG = "Tag"
    TAG_AND_HEAD = "TagAndHEAD"


class Verification(ApiModel):
    """Only what somebody trusted has signed becomes an artifact."""

    mode: VerificationMode = VerificationMode.HEAD
    """HEAD asks for a signature of the commit, Tag of the annotated tag that ref names, TagAndHEAD of both."""
    secret_ref: LocalName
    """A Secret of this namespace with public keys, under any names: armoured PGP keys, SSH public keys, or lines of
    allowed_signers; revoked_keys takes SSH keys away again. Keys must be valid when they sign and when it is fetched.
    """


class VerifiedBy(ApiModel):
    """Who signed."""

    by: str
    """The owner as the key names it: the user ID of a PGP key, the principal of an SSH key."""
    fingerprint: str
    """The whole fingerprint of the (primary) key."""
    tag: str | None = None
    """SHA of the tag object that was verified."""


TAG_NEEDS_REF = cel(
    "!has(self.verify) || !has(self.verify.mode) || self.verify.mode == 'HEAD'"
    " || (has(self.ref) && !has(self.ref.branch) && !has(self.ref.commit))",
    "verify.mode Tag and TagAndHEAD need a ref that names an annotated tag",
)["x-kubernetes-validations"][0]
"""The rule for the spec that holds both."""
