"""Application: a folder of a repository that a cluster shall look like, and how far it does.

Handlers parse it, the loop works by its spec, report writes its status.
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from trimtab.api.decryption import Decryption
from trimtab.api.directory import DirectorySpec
from trimtab.api.durations import Duration
from trimtab.api.helm import HelmSpec
from trimtab.api.kustomize import KustomizeSpec
from trimtab.api.model import ApiModel, Count, Resource, Status, all_of, cel
from trimtab.api.post_build import PostBuild
from trimtab.api.source_refs import ChartRef, FurtherSources, SourceRef, SourceRevision, chart_rule
from trimtab.api.timestamps import Timestamp
from trimtab.core.names import API_GROUP, API_VERSION
from trimtab.core.refs import ResourceType

RESOURCE: Final = ResourceType(API_GROUP, API_VERSION, "Application", "applications", namespaced=True)

READY: Final = "Ready"
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"
HEALTHY: Final = "Healthy"
DRIFTED: Final = "Drifted"


class DeletionPolicy(StrEnum):
    """What becomes of the objects when the Application is deleted."""

    DELETE = "Delete"
    ORPHAN = "Orphan"


class Adopt(StrEnum):
    """Which objects that exist already may be taken over."""

    NEVER = "Never"
    IF_UNOWNED = "IfUnowned"
    ALWAYS = "Always"


class DriftMode(StrEnum):
    """What to do about a change of a declared field that did not come from Git."""

    CORRECT = "Correct"
    REPORT = "Report"
    IGNORE = "Ignore"


class DriftSpec(ApiModel):
    """How drift is met."""

    mode: DriftMode = DriftMode.CORRECT
    """Correct puts the declared value back at once, Report shows the change, Ignore does neither."""


class ApplicationSpec(ApiModel):
    """What to apply, where, and how."""

    model_config = ConfigDict(
        json_schema_extra=all_of(
            cel(
                "!has(self.createNamespace) || !self.createNamespace || has(self.targetNamespace)",
                "createNamespace needs targetNamespace: name the namespace to create",
            ),
            chart_rule(),
        )
    )

    source_ref: SourceRef
    """Where the manifests come from."""
    chart: ChartRef | None = None
    """The chart to install, where the source is a HelmRepository."""
    sources: FurtherSources = ()
    """Further sources, which other parts of the spec refer to by name."""
    path: Annotated[
        str,
        Field(
            max_length=1024,
            json_schema_extra={
                "x-kubernetes-validations": [
                    {"rule": "!self.startsWith('/')", "message": "must be relative to the repository's root"},
                    {
                        "rule": "!self.split('/').exists(part, part == '..')",
                        "message": "must stay inside the repository: no .. is allowed",
                    },
                    {
                        "rule": r"!self.matches('[\\x00-\\x1f\\x7f\\\\]')",
                        "message": "must hold no control characters or backslashes",
                    },
                ]
            },
        ),
    ] = "."
    """Folder in the repository: a kustomization, a Helm chart or plain YAML files."""
    decryption: Decryption | None = None
    """How encrypted files of the source are read; as they are where it is not set."""
    helm: Annotated[HelmSpec, Field(json_schema_extra=lambda schema: schema.pop("default", None))] = HelmSpec()
    """How a Helm chart is rendered; of no effect on other folders."""
    target_namespace: (
        Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")] | None
    ) = None
    """Namespace of every namespaced object, whatever the manifests say; as they say where it is not set.

    Of a Helm chart it is the release's namespace: objects that name another one keep it.
    """
    create_namespace: bool = False
    """Creates targetNamespace where it is missing. It is never pruned."""
    directory: DirectorySpec | None = None
    """Which files are manifests, where the path has no kustomization of its own."""
    kustomize: KustomizeSpec | None = None
    """What is added to the path's kustomization."""
    post_build: PostBuild | None = None
    """What is done to the manifests once they are built: variables are put in."""
    prune: bool
    """Whether objects that leave the source are deleted from the cluster. Has no default: say it."""
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """Whether deleting the Application deletes its objects or leaves them, whatever prune and suspend say."""
    adopt: Adopt = Adopt.IF_UNOWNED
    """Which existing objects may be taken over: none, those that no other tool manages, or all."""
    interval_seconds: Duration = Field(default=600.0, alias="interval")
    """Longest wait before a failure is tried again, as a duration like 10m. Changes are acted on at once."""
    timeout_seconds: Duration = Field(default=300.0, alias="timeout")
    """How long to wait for what an apply depends on, and for health where wait is true, as a duration like 5m."""
    wait: bool = False
    """Whether Ready also asks for the health of every object."""
    suspend: bool = False
    """Stops both syncing and healing."""
    drift: DriftSpec = DriftSpec()
    """How changes of declared fields that did not come from Git are met."""


class RemoteBaseRevision(ApiModel):
    """What a remote base stood at."""

    url: str
    """The repository, with the ref as a kustomization names it."""
    revision: str
    """The commit, like main@sha1:<sha>."""


class InventoryCount(ApiModel):
    """The objects of the Application in numbers."""

    objects: Count
    """Objects that it owns."""
    ready: Count
    """Those of them that are healthy."""
    drifted: Count
    """Those of them that differ from what was declared."""


class DriftItem(ApiModel):
    """A declared field that somebody else changed."""

    object: str
    """The object, like Deployment.apps/shop/web."""
    field: str
    """Path of the field; empty where the object itself was deleted."""
    declared: str
    """The declared value as JSON, masked in Secrets."""
    live: str
    """The value found as JSON, masked in Secrets; empty where it is missing."""
    actor: str
    """The field manager that changed it, or unknown."""
    since: Timestamp
    """When it was first seen."""
    corrected: Timestamp | None = None
    """When the declared value was put back; not set while the drift stands."""


class ErrorItem(ApiModel):
    """Something that keeps an object, or the whole revision, from being applied."""

    object: str | None = None
    """The object, like Deployment.apps/shop/web."""
    file: str | None = None
    """File in the repository."""
    line: Count | None = None
    """Line in the file."""
    message: str
    """What is wrong and what to do about it."""
    artifact: str | None = None
    """The revision of the artifact or chart that holds the file, where that is no Git repository."""
    commit: str | None = None
    """The commit that last changed the file, or the line, where the history at hand tells."""
    author: str | None = None
    """Who wrote that commit, as Git records it."""


class HistoryItem(ApiModel):
    """How a revision fared."""

    revision: str
    """Ref and commit, like main@sha1:<sha>."""
    time: Timestamp
    """When it ended."""
    result: str
    """Applied, Failed or Superseded."""
    message: str | None = None
    """What to know about it."""


class ApplicationStatus(Status):
    """How far the cluster looks like the source."""

    last_applied_revision: str | None = None
    """The newest revision that was applied in full."""
    last_attempted_revision: str | None = None
    """The newest revision that was tried."""
    sources: tuple[SourceRevision, ...] | None = None
    """The revisions of the further sources."""
    remote_bases: tuple[RemoteBaseRevision, ...] | None = None
    """The remote bases of what was applied last."""
    inventory: InventoryCount | None = None
    """The objects in numbers."""
    drift: tuple[DriftItem, ...] = ()
    """Drift that stands, then drift corrected lately, newest first; bounded."""
    errors: tuple[ErrorItem, ...] = ()
    """The first 50 errors."""
    errors_total: Count | None = None
    """How many errors there are."""
    history: tuple[HistoryItem, ...] = ()
    """The last revisions, newest first."""


class Application(Resource):
    """A folder of manifests that is kept applied."""

    spec: ApplicationSpec
    status: ApplicationStatus = ApplicationStatus()
