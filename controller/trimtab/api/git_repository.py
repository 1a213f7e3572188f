"""GitRepository: where manifests come from, and which commit stands there now.

Handlers parse it, source reads the spec, report writes the status.
"""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from trimtab.api.durations import Duration, FetchTimeout
from trimtab.api.git_contents import GitContents, GitContentsStatus
from trimtab.api.model import ApiModel, LocalName, Resource, Status, cel
from trimtab.api.remote_bases import REMOTE_BASE_RULES, RemoteBases
from trimtab.api.timestamps import Timestamp
from trimtab.api.verification import TAG_NEEDS_REF, Verification, VerificationMode, VerifiedBy
from trimtab.core.names import API_GROUP, API_VERSION
from trimtab.core.refs import ResourceType

SOURCE_VERIFIED: Final = "SourceVerified"

RESOURCE: Final = ResourceType(API_GROUP, API_VERSION, "GitRepository", "gitrepositories", namespaced=True)

_WELL_FORMED: Final = (
    r"self.matches('^[^-/.\\s~^:?*\\[\\\\\\x00-\\x1f\\x7f][^\\s~^:?*\\[\\\\\\x00-\\x1f\\x7f]*$')"
    r" && !self.contains('..') && !self.contains('@{') && !self.endsWith('/') && !self.endsWith('.lock')"
)
_REF_NAME: Final[dict[str, Any]] = cel(
    _WELL_FORMED, "must be a Git ref name without refs/heads/ or refs/tags/ before it"
)
_FULL_NAME: Final[dict[str, Any]] = cel(
    f"{_WELL_FORMED} && self.matches('^refs/[^/]+/.')", "must be the full name of a Git ref, like refs/pull/420/head"
)
_RANGE: Final = r"^[0-9A-Za-z.*+^~<>=!|, -]+$"


class GitProvider(StrEnum):
    """How to log in."""

    GENERIC = "generic"
    GITHUB = "github"


class GitRef(ApiModel):
    """What to follow: one of branch, tag, semver, name and commit; a branch may stand beside the commit."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "(has(self.tag) ? 1 : 0) + (has(self.semver) ? 1 : 0) + (has(self.name) ? 1 : 0)"
            " + (has(self.branch) || has(self.commit) ? 1 : 0) == 1",
            "set exactly one of branch, tag, semver, name and commit; only branch may stand beside commit",
        )
    )

    branch: Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_REF_NAME)] | None = None
    """A branch, followed as it moves."""
    tag: Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_REF_NAME)] | None = None
    """A tag."""
    semver: Annotated[str, Field(min_length=1, max_length=512, pattern=_RANGE)] | None = None
    """A range of versions, like >=1.2.0 <2.0.0: the tag with the highest one. Pre-releases count where it names one."""
    name: Annotated[str, Field(min_length=6, max_length=255, json_schema_extra=_FULL_NAME)] | None = None
    """Any ref by its full name, like refs/pull/420/head."""
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$", max_length=64)] | None = None
    """A commit by its full SHA; with a branch it has to be on that branch."""


class GitRepositorySpec(GitContents):
    """The repository, and how often to look."""

    # These rules stand on the spec because a rule on the url itself would print a password in its refusal.
    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "self.url.matches('^(https?|ssh)://[^/]')",
                    "message": "url must start with https://, http:// or ssh://; HOST:PATH is ssh://git@HOST/PATH",
                    "fieldPath": ".url",
                },
                {
                    "rule": "!self.url.matches('^[^/]*//[^/?#]*@') || self.url.matches('^ssh://[A-Za-z0-9_.-]+@[^@]+$')",
                    "message": "url must hold no user name (but for ssh) and no password: put them into a Secret and "
                    "name it in secretRef",
                    "fieldPath": ".url",
                },
                {
                    "rule": r"!self.url.matches('[\\s\\x00-\\x1f\\x7f?#]')",
                    "message": "url must hold no spaces, control characters, query or fragment",
                    "fieldPath": ".url",
                },
                TAG_NEEDS_REF,
                *REMOTE_BASE_RULES,
            ]
        }
    )

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    """Address of the repository, https://, http:// or ssh://, without credentials."""
    # The default stays out of the schema: stored beside a tag that is declared later, it would make two refs of one.
    ref: Annotated[GitRef, Field(json_schema_extra=lambda schema: schema.pop("default", None))] = GitRef(branch="main")
    """What to follow; the branch main where nothing is said."""
    interval_seconds: Duration = Field(default=60.0, alias="interval")
    """How often to ask the server for news, as a duration like 1m."""
    timeout_seconds: FetchTimeout = Field(default=60.0, alias="timeout")
    """How long one fetch may take, as a duration like 1m; at most 1h."""
    secret_ref: LocalName | None = None
    """A Secret of this namespace with what opens the repository.

    For https and http: username and password, or bearerToken, or githubAppID, githubAppInstallationID and
    githubAppPrivateKey (and githubAppBaseURL); ca.crt where the server's certificate needs it, tls.crt and tls.key
    where the server wants one. For ssh: identity (with its password) and known_hosts.
    """
    # Shown where somebody wrote it only, as in Flux.
    provider: Annotated[GitProvider, Field(json_schema_extra=lambda schema: schema.pop("default", None))] = (
        GitProvider.GENERIC
    )
    """github: the Secret has to hold a GitHub App. generic: whatever it holds."""
    proxy_secret_ref: LocalName | None = None
    """A Secret of this namespace with address, like http://, https:// or socks5://HOST:PORT, username and password.

    ca.crt in it is what the certificate of an https proxy is checked against.
    """
    verify: Verification | None = None
    """Whose signature is asked for; none where it is not set. What nobody trusted has signed is not applied."""
    remote_bases: RemoteBases = ()
    """Where kustomizations may take remote bases from: URLs of repositories, or of what holds them, like
    https://github.com/org. None where it is not set. Those on this repository's own host are fetched with its
    credentials, others without any; a base without a commit or tag is asked for anew each interval.
    """
    suspend: bool = False
    """Stops fetching; Applications stay at the commit that was fetched last."""


class Artifact(ApiModel):
    """What was fetched last."""

    revision: str
    """Ref and commit, like main@sha1:<sha>."""
    digest: str | None = None
    """Digest of the content, like sha1:<tree SHA>."""
    last_update_time: Timestamp
    """When this revision was first seen."""


class Commit(ApiModel):
    """The commit of the artifact."""

    author: str
    """Who wrote it, as Git records it."""
    committer: str
    """Who committed it, as Git records it."""
    subject: str
    """First line of its message."""
    time: Timestamp
    """When it was committed."""


class GitRepositoryStatus(GitContentsStatus, Status):
    """What stands in the repository."""

    artifact: Artifact | None = None
    """What was fetched last."""
    commit: Commit | None = None
    """The commit of the artifact."""
    source_verification_mode: VerificationMode | None = None
    """How the artifact was verified; not set where it was not."""
    verified: VerifiedBy | None = None
    """Who signed the artifact: its tag in the modes Tag and TagAndHEAD, else its commit."""
    included_artifacts: tuple[Artifact, ...] | None = None
    """What was included, in the order of spec.include."""


class GitRepository(Resource):
    """A Git repository whose manifests Applications apply."""

    spec: GitRepositorySpec
    status: GitRepositoryStatus = GitRepositoryStatus()
