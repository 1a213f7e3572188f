"""Whether a fetched commit may become an artifact: the signatures that spec.verify asks for, looked at once per commit.

The origin of GitRepositories asks before it takes a commit. The Secret is read anew for each commit, poke and change of
the spec, so that a key taken away counts from the next commit on; what was verified stays verified until then.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trimtab.api.git_repository import GitRepository
from trimtab.api.verification import Verification, VerificationMode, VerifiedBy
from trimtab.core.errors import SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.ports import Clock, Git, GitCredentials
from trimtab.reconcile.ports.verifier import Verifier
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.source.signed_object import NotVerified, ObjectKind, refusal
from trimtab.source.signers import Signer, by_object
from trimtab.source.trusted_keys import TrustedKeys, trusted_keys

_Asked = tuple[str, str, str, int, str]
"""URL, commit, tag object, generation and poke: with equal ones nothing is looked at again."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed what, by the kind of the object."""

    signers: Mapping[str, Signer]
    tag_sha: str = ""

    @property
    def by(self) -> VerifiedBy:
        """For status: who signed the tag, where that was asked for, else the commit."""
        signer = self.signers.get(ObjectKind.TAG) or self.signers[ObjectKind.COMMIT]
        return VerifiedBy(by=signer.by, fingerprint=signer.fingerprint, tag=self.tag_sha or None)

    @property
    def message(self) -> str:
        """For people."""
        return by_object(self.signers)


class Verifications:
    """Verifies commits of all repositories."""

    def __init__(self, *, git: Git, secrets: ReferredSecrets, verifier: Verifier, clock: Clock) -> None:
        self._git = git
        self._secrets = secrets
        self._verifier = verifier
        self._clock = clock
        self._known: dict[Key, tuple[_Asked, Verified]] = {}

    def forget(self, key: Key) -> None:
        """The repository is gone."""
        self._known.pop(key, None)

    async def check(
        self,
        key: Key,
        repository: GitRepository,
        revision: Revision,
        credentials: GitCredentials | None,
        *,
        tag_sha: str = "",
        restoring: bool = False,
    ) -> Verified | None:
        """Who signed a commit; None where the spec does not ask. Raises NotVerified where it is not signed as asked.

        `restoring`: the commit was an artifact before this process began, so keys may have expired since.
        """
        asked = repository.spec.verify
        if asked is None:
            return None
        metadata = repository.metadata
        question = (repository.spec.url, revision.sha, tag_sha, metadata.generation, metadata.requested_at)
        known = self._known.get(key)
        if known and known[0] == question:
            return known[1]
        signers: dict[str, Signer] = {}
        try:
            keys = await self._keys(key, asked)
            for kind in _objects(asked.mode):
                sha = revision.sha if kind is ObjectKind.COMMIT else tag_sha
                if not sha:
                    raise _no_tag(revision)
                signers[kind] = await self._one(repository, credentials, revision, kind, sha, keys, restoring=restoring)
        except SourceError as error:
            raise NotVerified(*error.problems) from error
        verified = Verified(signers, tag_sha if ObjectKind.TAG in signers else "")
        if not restoring:
            self._known[key] = (question, verified)
        return verified

    async def _one(
        self,
        repository: GitRepository,
        credentials: GitCredentials | None,
        revision: Revision,
        kind: ObjectKind,
        sha: str,
        keys: TrustedKeys,
        *,
        restoring: bool,
    ) -> Signer:
        tag_sha = sha if kind is ObjectKind.TAG else ""
        raw = await self._git.raw_object(repository.spec.url, credentials, revision.sha, tag_sha=tag_sha)
        signed, signer = await self._verifier.verify(
            raw, kind, sha, keys, now_seconds=self._clock.now(), accept_expired_now=restoring
        )
        if kind is ObjectKind.TAG and signed.target != revision.sha:
            raise refusal(f"the tag names commit {signed.target}, not {revision.sha}", "it is tried again")
        # A server could offer an old tag, rightly signed, under a new name.
        if kind is ObjectKind.TAG and signed.tag != revision.ref.removeprefix("refs/tags/"):
            raise refusal(
                f"the tag was signed under another name, {signed.tag[:80]!a}", "sign a tag of the name asked for"
            )
        return signer

    async def _keys(self, key: Key, asked: Verification) -> TrustedKeys:
        remedy = "create it with the public keys of those who sign"
        found = await self._secrets.get(key, asked.secret_ref.name, field="verify.secretRef", remedy=remedy, anew=True)
        return trusted_keys(found)


def _objects(mode: VerificationMode) -> tuple[ObjectKind, ...]:
    match mode:
        case VerificationMode.HEAD:
            return (ObjectKind.COMMIT,)
        case VerificationMode.TAG:
            return (ObjectKind.TAG,)
        case VerificationMode.TAG_AND_HEAD:
            return (ObjectKind.TAG, ObjectKind.COMMIT)


def _no_tag(revision: Revision) -> NotVerified:
    return refusal(
        f"{revision.ref or revision.sha} is no annotated tag, so nobody has signed it",
        "make it with git tag -s, or set verify.mode to HEAD",
    )
