"""`spec.kustomize` of an Application: what is added to the path's kustomization before it is built.

`application` joins it to the spec, `render/overlay` acts on it. The fields are Flux's, in the place where Argo CD has
its own; their meaning is that of a kustomization file.
"""

from typing import Annotated

from pydantic import Field

from trimtab.api.model import ApiModel, Count, cel

_Name = Annotated[str, Field(max_length=253)]
_Labels = Annotated[
    dict[str, Annotated[str, Field(max_length=262144)]], Field(json_schema_extra={"maxProperties": 128})
]


class PatchTarget(ApiModel):
    """Which objects a patch is for; names and kinds are regular expressions, as in a kustomization."""

    group: _Name | None = None
    """API group."""
    version: _Name | None = None
    """API version."""
    kind: _Name | None = None
    """Kind."""
    name: _Name | None = None
    """Name."""
    namespace: _Name | None = None
    """Namespace."""
    label_selector: Annotated[str, Field(max_length=4096)] | None = None
    """Labels, in the syntax of kubectl get -l."""
    annotation_selector: Annotated[str, Field(max_length=4096)] | None = None
    """Annotations, in the same syntax."""


class PatchOptions(ApiModel):
    """What a patch may change beside content."""

    allow_name_change: bool = False
    """Whether it may give another name."""
    allow_kind_change: bool = False
    """Whether it may make another kind of it."""


class Patch(ApiModel):
    """A strategic merge patch or a JSON 6902 patch."""

    patch: Annotated[str, Field(min_length=1, max_length=262144)]
    """The patch as YAML or JSON."""
    target: PatchTarget | None = None
    """Its targets; a strategic merge patch may name the object itself instead."""
    options: PatchOptions | None = None
    """What it may change beside content."""


class Image(ApiModel):
    """Another name, tag or digest for an image."""

    name: Annotated[str, Field(min_length=1, max_length=512)]
    """The image as the manifests name it, without a tag."""
    new_name: Annotated[str, Field(max_length=512)] | None = None
    """The name to put in its place."""
    new_tag: Annotated[str, Field(max_length=128)] | None = None
    """The tag to put in its place."""
    digest: Annotated[str, Field(max_length=256)] | None = None
    """The digest to put in its place; it wins over a tag."""


class Replica(ApiModel):
    """The number of replicas of a workload."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the workload."""
    count: Count
    """Its replicas."""


class CommonMetadata(ApiModel):
    """Labels and annotations of every object; selectors and templates are left alone."""

    labels: _Labels = Field(default={})
    """Labels to add or replace."""
    annotations: _Labels = Field(default={})
    """Annotations to add or replace."""


class KustomizeSpec(ApiModel):
    """What is added to the path's kustomization; a plain folder is taken as one that lists all its manifests."""

    name_prefix: Annotated[str, Field(max_length=200)] | None = None
    """Put before every name, instead of the kustomization's own prefix."""
    name_suffix: Annotated[str, Field(max_length=200)] | None = None
    """Put behind every name, instead of the kustomization's own suffix."""
    patches: Annotated[tuple[Patch, ...], Field(max_length=256)] = ()
    """Patches after those of the kustomization."""
    images: Annotated[tuple[Image, ...], Field(max_length=256)] = ()
    """Images; they replace those of the kustomization with the same name."""
    replicas: Annotated[tuple[Replica, ...], Field(max_length=256)] = ()
    """Replicas; they replace those of the kustomization with the same name."""
    components: Annotated[
        tuple[
            Annotated[
                str,
                Field(
                    min_length=1,
                    max_length=1024,
                    json_schema_extra=cel("!self.startsWith('/')", "must be relative to the path"),
                ),
            ],
            ...,
        ],
        Field(max_length=64),
    ] = ()
    """Folders of components, relative to the path, after those of the kustomization."""
    ignore_missing_components: bool = False
    """Whether components that do not exist are left out."""
    common_metadata: CommonMetadata | None = None
    """Labels and annotations of every object."""
