"""Artifacts of OCI registries and charts of web servers as the loop needs them: resolved, verified, at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trimtab.api.helm_repository import HelmVerify
from trimtab.api.oci_repository import OciRepositorySpec, OciVerify
from trimtab.core.errors import SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.ports.rendering import SourceTree
from trimtab.source.chart_index import ChartIndex
from trimtab.source.proxy import Proxy
from trimtab.source.trusted_keys import TrustedKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a download shows of us, and whom it trusts; `repr` shows nothing of it.

    `docker_config` is the text of a `.dockerconfigjson`, which names credentials by host. `ca_pem` replaces the
    system's authorities.
    """

    username: str = ""
    password: str = ""
    docker_config: bytes = b""
    ca_pem: str = ""
    cert_pem: str = ""
    key_pem: str = ""
    proxy: Proxy | None = None
    pass_credentials: bool = False

    def __repr__(self) -> str:
        return "Access(…)"


NO_ACCESS = Access()


@dataclass(frozen=True, slots=True)
class OciArtifact:
    """An artifact at hand. `signed_by` names the public key that fits its signature, where one was asked for.

    `terms` digests what was asked of it beside its ref: which layer, and signed by which keys.
    """

    revision: Revision
    tree: SourceTree
    digest: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    signed_by: str = ""
    terms: str = ""


class OciRegistries(Protocol):
    """Artifacts in registries; a store of those that were fetched."""

    async def fetch(
        self, spec: OciRepositorySpec, access: Access, keys: Mapping[str, bytes], known: OciArtifact | None
    ) -> OciArtifact:
        """The artifact that the spec's ref stands for now; `known` itself where the registry still has that one.

        `keys` are the files of verify.secretRef. Raises SourceError.
        """
        ...

    async def recall(
        self, spec: OciRepositorySpec, keys: Mapping[str, bytes], revision: Revision
    ) -> OciArtifact | None:
        """An artifact fetched before on the same terms, without asking the registry; None where it is not in store."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FetchedIndex:
    """An index at hand. `etag` and `modified` are what the server wants to be asked with the next time."""

    url: str
    digest: str
    index: ChartIndex
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart at hand: its files are those of the chart's own folder. `signed_by` says who signed its provenance."""

    version: str
    digest: str
    tree: SourceTree
    signed_by: str = ""


class ChartRepositories(Protocol):
    """Indexes and charts of web servers; a store of charts that were fetched."""

    async def index(
        self, url: str, access: Access, known: FetchedIndex | None, *, timeout_seconds: float
    ) -> FetchedIndex:
        """The index of a repository; `known` itself where the server still has that one. Raises SourceError."""
        ...

    async def chart(
        self,
        found: FetchedIndex,
        access: Access,
        *,
        name: str,
        version: str,
        timeout_seconds: float,
        keys: TrustedKeys | None = None,
    ) -> Chart:
        """The chart that an index lists under a name within a range of versions; with a provenance by one of `keys`,
        if any are given. Raises SourceError.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChartWanted:
    """A chart that another one depends on, as its lock names it. `repository` may be `@name` or `alias:name`.

    `verified`: only with a signature by a key that its repository's declaration names.
    """

    repository: str
    name: str
    version: str
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartOrder:
    """How to fetch a chart: what its own repository, or one declared for it, says of that.

    `keys` are the files of the Secret that `verify` names.
    """

    repository: str
    name: str
    version: str
    access: Access = NO_ACCESS
    insecure: bool = False
    timeout_seconds: float = 60.0
    verify: OciVerify | HelmVerify | None = None
    keys: tuple[tuple[str, bytes], ...] = ()


class ChartDownloads(Protocol):
    """Charts of any server, one by one; a store of those that were fetched."""

    async def fetch(self, order: ChartOrder) -> SourceTree:
        """The files of a chart, Chart.yaml at their root. Raises SourceError."""
        ...


class Charts(Protocol):
    """Charts that other charts depend on."""

    async def get(
        self, namespace: str, application: str, wanted: Sequence[ChartWanted]
    ) -> Sequence[SourceTree | SourceError]:
        """The files of each, Chart.yaml at their root, or why they cannot be had. Raises StillFetching where some are
        on their way; the Application is woken when they have come.
        """
        ...
