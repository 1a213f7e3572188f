"""HelmRepository: an index of charts on a web server, and which one stands there now.

Handlers parse it, the loop works by its spec, report writes the status. The fields are those of Flux.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from trimtab.api.durations import Duration, FetchTimeout
from trimtab.api.fetched import FetchedStatus
from trimtab.api.model import ApiModel, LocalName, Resource
from trimtab.core.names import API_GROUP, API_VERSION
from trimtab.core.refs import ResourceType

RESOURCE: Final = ResourceType(API_GROUP, API_VERSION, "HelmRepository", "helmrepositories", namespaced=True)


class HelmVerify(ApiModel):
    """Whose provenance charts must come with."""

    provider: Literal["pgp"] = "pgp"
    """How they were signed: Helm's provenance, a .prov file beside the chart."""
    secret_ref: LocalName
    """A Secret of this namespace with armoured public PGP keys, under any names, one of which must have signed."""


class HelmRepositorySpec(ApiModel):
    """The repository, and how often to look."""

    # These rules stand on the spec because a rule on the url itself would print a password in its refusal.
    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "!self.url.startsWith('oci://') && (!has(self.type) || self.type == 'default')",
                    "message": "charts in an OCI registry are fetched by an OCIRepository with layerSelector.mediaType "
                    "application/vnd.cncf.helm.chart.content.v1.tar+gzip: name that in sourceRef",
                    "fieldPath": ".url",
                },
                {
                    "rule": "self.url.matches('^(https?|oci)://[^/]')",
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
    """Address of the folder that holds index.yaml, https:// or http://, without credentials."""
    type: Literal["default", "oci"] = "default"
    """default: charts listed in an index."""
    interval_seconds: Duration = Field(default=300.0, alias="interval")
    """How often to ask the server for news, as a duration like 5m."""
    timeout_seconds: FetchTimeout = Field(default=60.0, alias="timeout")
    """How long the download of the index, or of one chart, may take, as a duration like 1m; at most 1h."""
    secret_ref: LocalName | None = None
    """A Secret of this namespace with username and password."""
    cert_secret_ref: LocalName | None = None
    """A Secret of this namespace with ca.crt for the server's certificate, and tls.crt and tls.key for our own."""
    proxy_secret_ref: LocalName | None = None
    """A Secret of this namespace with address, like http://, https:// or socks5://HOST:PORT, username and password.

    ca.crt in it is what the certificate of an https proxy is checked against.
    """
    pass_credentials: bool = False
    """Shows user name and password also to another host where the index says that a chart lies there."""
    verify: HelmVerify | None = None
    """Whose provenance the charts taken from here must come with; without it, none is looked at."""
    suspend: bool = False
    """Stops fetching the index; Applications stay at what it listed last."""


class HelmRepository(Resource):
    """A repository of Helm charts that Applications install."""

    spec: HelmRepositorySpec
    status: FetchedStatus = FetchedStatus()
