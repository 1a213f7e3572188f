"""How an Application's Helm chart is rendered: the field `helm` of its spec, in the words of Flux and Argo CD.

`application` joins it to the spec; `render.helm_values`, `render.helm_command` and the inputs of rendering read it.
"""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from trimtab.api.model import ApiModel, LocalName, cel

DEFAULT_VALUES_KEY: Final = "values.yaml"
RELEASE_NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
RELEASE_NAME_LENGTH: Final = 53


class ValuesKind(StrEnum):
    """Kinds that hold values."""

    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105 - a kind


class ValuesReference(LocalName):
    """Values kept in a ConfigMap or Secret of the same namespace."""

    kind: ValuesKind
    """Kind of the object."""
    values_key: Annotated[str, Field(max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] = DEFAULT_VALUES_KEY
    """Key of the object's data: a YAML file of values, or one value where targetPath is set."""
    target_path: Annotated[str, Field(max_length=250, pattern=r"^([a-zA-Z0-9_\-.\\\/]|\[[0-9]{1,5}\])+$")] | None = None
    """Where a single value goes, as helm's --set writes it, like ingress.hosts[0].name."""
    literal: bool = False
    """With targetPath: take the value as it is, a string, instead of reading it as helm's --set would."""
    optional: bool = False
    """Whether the object, or the key in it, may be missing."""


_ValueFile = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1024,
        json_schema_extra=cel(
            r"!self.startsWith('/') && !self.matches('[\\x00-\\x1f\\x7f\\\\]') && !self.contains('://')",
            "must be a path relative to the chart's folder, or $name/path of a further source",
        ),
    ),
]

_KubeVersion = Annotated[str, Field(max_length=63, pattern=r"^v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][-+.0-9A-Za-z]+)?$")]
_ApiVersion = Annotated[str, Field(min_length=1, max_length=317, pattern=r"^[a-z0-9][-a-z0-9.]*(/[A-Za-z0-9]+){0,2}$")]


def _anything(schema: dict[str, Any]) -> None:
    """Values have no schema but their chart's."""
    schema.pop("additionalProperties", None)
    schema["x-kubernetes-preserve-unknown-fields"] = True


class HelmSpec(ApiModel):
    """How a Helm chart is rendered. Values of later places win: chart, valueFiles, valuesFrom, values."""

    release_name: (
        Annotated[str, Field(min_length=1, max_length=RELEASE_NAME_LENGTH, pattern=RELEASE_NAME_PATTERN)] | None
    ) = None
    """Name of the release; the Application's name where it is not set."""
    values: dict[str, Any] = Field(default_factory=dict, json_schema_extra=_anything)
    """Values, as in a values file. A null takes the chart's own value away."""
    values_from: Annotated[tuple[ValuesReference, ...], Field(max_length=50)] = ()
    """ConfigMaps and Secrets with values, later ones over earlier ones."""
    value_files: Annotated[tuple[_ValueFile, ...], Field(max_length=50)] = ()
    """Files with values, relative to the chart's folder or `$name/path` in a further source; later ones win."""
    ignore_missing_value_files: bool = False
    """Whether valueFiles that do not exist are passed over."""
    include_crds: bool = Field(default=True, alias="includeCRDs")
    """Whether the chart's crds folder is applied, too."""
    skip_tests: bool = False
    """Leaves out the chart's tests; they are never run, but listed among its hooks otherwise."""
    kube_version: _KubeVersion | None = None
    """The version of Kubernetes that the chart sees; the cluster's own where it is not set."""
    api_versions: Annotated[tuple[_ApiVersion, ...], Field(max_length=2000)] = ()
    """The APIs that the chart sees, like apps/v1 or apps/v1/Deployment; the cluster's own where there are none."""
