"""OCIRepository: manifests or a chart packed as an artifact in an OCI registry, and which one stands there now.

Handlers parse it, the loop works by its spec, report writes the status. The fields are those of Flux.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from trimtab.api.durations import Duration, FetchTimeout
from trimtab.api.fetched import FetchedStatus
from trimtab.api.model import ApiModel, LocalName, Resource, cel
from trimtab.api.remote_bases import REMOTE_BASE_RULES, RemoteBases
from trimtab.core.names import API_GROUP, API_VERSION
from trimtab.core.refs import ResourceType

RESOURCE: Final = ResourceType(API_GROUP, API_VERSION, "OCIRepository", "ocirepositories", namespaced=True)

_REGEX_BYTES: Final = 256


class OciRef(ApiModel):
    """Which artifact: a digest before a range of versions before a tag, where several are set."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "!has(self.semverFilter) || has(self.semver)", "semverFilter chooses among the tags of semver: set that too"
        )
    )

    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", max_length=128)] | None = None
    """A tag, followed as it moves."""
    semver: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """A range of versions such as >=1.2 <2; the tag of the highest is taken."""
    semver_filter: Annotated[str, Field(min_length=1, max_length=_REGEX_BYTES)] | None = None
    """A regular expression that tags must match before semver chooses among them."""
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)] | None = None
    """Exactly this manifest."""


class LayerSelector(ApiModel):
    """Which layer holds the files, and how they are got out of it."""

    media_type: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Media type of the layer, of which the first is taken; the first layer of all where it is not set."""
    operation: Literal["extract", "copy"] = "extract"
    """extract unpacks a gzipped tar archive, copy takes the layer as one file. A chart is unpacked either way."""


class OciVerify(ApiModel):
    """Whose signature an artifact must carry."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            "!has(self.reference) || !has(self.provider) || self.provider == 'cosign'",
            "reference is what cosign signs: leave it out with another provider",
        )
    )

    provider: Literal["cosign", "pgp"] = "cosign"
    """How it was signed: by cosign, or, a chart, by Helm's provenance."""
    secret_ref: LocalName
    """A Secret of this namespace with public keys, one of which must have signed: as *.pub for cosign, armoured and
    under any names for pgp.
    """
    reference: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """The name that must have been signed together with the digest, like registry.example/team/app; any if not set."""


class OciRepositorySpec(ApiModel):
    """The artifact, and how often to look."""

    # These rules stand on the spec because a rule on the url itself would print a password in its refusal.
    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "self.url.matches('^oci://[^/]+/[^/]')",
                    "message": "url must be like oci://registry.example/team/app",
                    "fieldPath": ".url",
                },
                {
                    "rule": "!self.url.contains('@')",
                    "message": "url must hold no user name, password or digest: put them into the Secret of secretRef "
                    "and into ref",
                    "fieldPath": ".url",
                },
                {
                    "rule": r"!self.url.matches('[\\s\\x00-\\x1f\\x7f?#]')",
                    "message": "url must hold no spaces, control characters, query or fragment",
                    "fieldPath": ".url",
                },
                *REMOTE_BASE_RULES,
            ]
        }
    )

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    """Address of the artifact's repository, oci://, without a tag and without credentials."""
    # The default stays out of the schema: stored beside a digest that is declared later, it would make two refs of one.
    ref: Annotated[OciRef, Field(json_schema_extra=lambda schema: schema.pop("default", None))] = OciRef(tag="latest")
    """Which artifact to follow; the tag latest where nothing is said."""
    layer_selector: LayerSelector | None = None
    """Which layer holds the files; the first one, unpacked, where nothing is said."""
    interval_seconds: Duration = Field(default=300.0, alias="interval")
    """How often to ask the registry for news, as a duration like 5m."""
    timeout_seconds: FetchTimeout = Field(default=60.0, alias="timeout")
    """How long one look and download may take, as a duration like 1m; at most 1h."""
    secret_ref: LocalName | None = None
    """A Secret of this namespace of type kubernetes.io/dockerconfigjson, or with username and password."""
    cert_secret_ref: LocalName | None = None
    """A Secret of this namespace with ca.crt for the registry's certificate, and tls.crt and tls.key for our own."""
    proxy_secret_ref: LocalName | None = None
    """A Secret of this namespace with address, like http://, https:// or socks5://HOST:PORT, username and password.

    ca.crt in it is what the certificate of an https proxy is checked against.
    """
    insecure: bool = False
    """Speaks plain http with the registry."""
    verify: OciVerify | None = None
    """Whose signature the artifact must carry to be used."""
    remote_bases: RemoteBases = ()
    """Where kustomizations may take remote bases from: URLs of Git repositories, or of what holds them, like
    https://github.com/org. None where it is not set. They are fetched without credentials; a base without a commit or
    tag is asked for anew each interval.
    """
    suspend: bool = False
    """Stops fetching; Applications stay at the artifact that was fetched last."""


class OciRepositoryStatus(FetchedStatus):
    """What stands in the registry."""

    signed_by: str | None = None
    """Which of the keys of verify.secretRef signed the artifact."""


class OciRepository(Resource):
    """An artifact of an OCI registry whose manifests or chart Applications apply."""

    spec: OciRepositorySpec
    status: OciRepositoryStatus = OciRepositoryStatus()
