"""GitRepository: where manifests come from, and which commit stands there now.

Handlers parse it, source reads the spec, report writes the status.
"""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from trimtab.api.durations import Duration
from trimtab.api.git_contents import GitContents, GitContentsStatus
from trimtab.api.model import ApiModel, LocalName, Resource, Status, cel
from trimtab.api.timestamps import Timestamp
from trimtab.core.names import API_GROUP, API_VERSION
from trimtab.core.refs import ResourceType

RESOURCE: Final = ResourceType(API_GROUP, API_VERSION, "GitRepository", "gitrepositories", namespaced=True)

_REF_NAME: Final[dict[str, Any]] = cel(
    r"self.matches('^[^-/.\\s~^:?*\\[\\\\\\x00-\\x1f\\x7f][^\\s~^:?*\\[\\\\\\x00-\\x1f\\x7f]*$')"
    r" && !self.contains('..') && !self.contains('@{') && !self.endsWith('/') && !self.endsWith('.lock')",
    "must be a Git ref name without refs/heads/ or refs/tags/ before it",
)


class GitRef(ApiModel):
    """What to follow: one of branch, tag and commit."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "(has(self.branch) ? 1 : 0) + (has(self.tag) ? 1 : 0) + (has(self.commit) ? 1 : 0) == 1",
            "set exactly one of branch, tag and commit",
        )
    )

    branch: Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_REF_NAME)] | None = None
    """A branch, followed as it moves."""
    tag: Annotated[str, Field(min_length=1, max_length=255, json_schema_extra=_REF_NAME)] | None = None
    """A tag."""
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$", max_length=64)] | None = None
    """A commit by its full SHA."""


class GitRepositorySpec(GitContents):
    """The repository, and how often to look."""

    # These rules stand on the spec because a rule on the url itself would print a password in its refusal.
    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "self.url.matches('^https?://[^/]')",
                    "message": "url must start with https:// or http://",
                    "fieldPath": ".url",
                },
                {
                    "rule": "!self.url.matches('^[^/]*//[^/?#]*@')",
                    "message": "url must hold no user name or password: put them into a Secret and name it in "
                    "secretRef",
                    "fieldPath": ".url",
                },
                {
                    "rule": r"!self.url.matches('[\\s\\x00-\\x1f\\x7f?#]')",
                    "message": "url must hold no spaces, control characters, query or fragment",
                    "fieldPath": ".url",
                },
            ]
        }
    )

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    """Address of the repository, https:// or http://, without credentials."""
    # The default stays out of the schema: stored beside a tag that is declared later, it would make two refs of one.
    ref: Annotated[GitRef, Field(json_schema_extra=lambda schema: schema.pop("default", None))] = GitRef(branch="main")
    """What to follow; the branch main where nothing is said."""
    interval_seconds: Duration = Field(default=60.0, alias="interval")
    """How often to ask the server for news, as a duration like 1m."""
    timeout_seconds: Duration = Field(default=60.0, alias="timeout")
    """How long one fetch may take, as a duration like 1m."""
    secret_ref: LocalName | None = None
    """A Secret of this namespace with username and password, and ca.crt where the server's certificate needs it."""
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
    included_artifacts: tuple[Artifact, ...] | None = None
    """What was included, in the order of spec.include."""


class GitRepository(Resource):
    """A Git repository whose manifests Applications apply."""

    spec: GitRepositorySpec
    status: GitRepositoryStatus = GitRepositoryStatus()
