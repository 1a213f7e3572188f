"""How an Application names what it is made of: its source, the chart of it, and further sources beside it.

The Application's module joins them to its spec; the loop resolves them, the renderer gets the trees.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from trimtab.api.model import ApiModel, LocalName, cel

MAX_SOURCES: Final = 16

_CHART_RULE: Final = "has(self.chart) == (self.sourceRef.kind == 'HelmRepository')"
_CHART_MESSAGE: Final = (
    "chart goes with a sourceRef of kind HelmRepository, and that with a chart; charts in Git are named by path, "
    "charts in an OCI registry by an OCIRepository"
)


def chart_rule() -> dict[str, Any]:
    """The schema keywords for whatever has `sourceRef` and `chart`."""
    return cel(_CHART_RULE, _CHART_MESSAGE)


class SourceRef(LocalName):
    """The source, an object of the same namespace."""

    kind: Literal["GitRepository", "OCIRepository", "HelmRepository"] = "GitRepository"
    """Kind of the source."""


class ChartRef(ApiModel):
    """A chart of a HelmRepository."""

    name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Name of the chart."""
    version: Annotated[str, Field(min_length=1, max_length=256)] = "*"
    """A version, or a range of which the highest is taken, such as ^1.2 or >=1.2 <2; without pre-releases unless it
    names one.
    """


class FurtherSource(ApiModel):
    """A source beside the Application's own, for values files and the like."""

    model_config = ConfigDict(json_schema_extra=chart_rule())

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """How the rest of the spec refers to it."""
    source_ref: SourceRef
    """The source."""
    chart: ChartRef | None = None
    """The chart, where the source is a HelmRepository."""


FurtherSources = Annotated[
    tuple[FurtherSource, ...],
    Field(
        max_length=MAX_SOURCES,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    ),
]
"""Sources of unique names."""


class SourceRevision(ApiModel):
    """What a further source was at when the Application was tried last."""

    name: str
    """Its name in the spec."""
    revision: str
    """Its revision, as its own status shows it."""
