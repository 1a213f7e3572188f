"""What OCIRepository and HelmRepository say of themselves: the artifact that was fetched last."""

from trimtab.api.model import ApiModel, Status
from trimtab.api.timestamps import Timestamp


class FetchedArtifact(ApiModel):
    """What was fetched last."""

    revision: str
    """Which one it is, like 6.5.1@sha256:<digest>."""
    digest: str | None = None
    """Digest of the content, like sha256:<digest>."""
    last_update_time: Timestamp
    """When this revision was first seen."""
    metadata: dict[str, str] | None = None
    """What it says of itself: the annotations of an OCI artifact."""


class FetchedStatus(Status):
    """What stands in the source."""

    artifact: FetchedArtifact | None = None
    """What was fetched last."""
