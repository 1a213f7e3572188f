"""`spec.directory` of an Application: which files of a plain folder are manifests.

`application` joins it to the spec, `render/layout` and `render/jsonnet` act on it. The names are Argo CD's.
"""

from typing import Annotated

from pydantic import Field

from trimtab.api.model import ApiModel, cel

_Glob = Annotated[str, Field(min_length=1, max_length=1024)]


class JsonnetVariable(ApiModel):
    """A value that Jsonnet files get from outside."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the variable."""
    value: Annotated[str, Field(max_length=262144)]
    """Its value."""
    code: bool = False
    """Whether the value is Jsonnet instead of a string."""


class JsonnetSpec(ApiModel):
    """How files that end in .jsonnet are evaluated; without it they are not looked at."""

    tlas: Annotated[tuple[JsonnetVariable, ...], Field(max_length=128)] = ()
    """Arguments of the function that a file evaluates to."""
    ext_vars: Annotated[tuple[JsonnetVariable, ...], Field(max_length=128)] = ()
    """External variables."""
    libs: Annotated[
        tuple[
            Annotated[
                str,
                Field(
                    min_length=1,
                    max_length=1024,
                    json_schema_extra=cel(
                        "!self.startsWith('/') && !self.split('/').exists(part, part == '..')",
                        "must be a folder inside the repository, relative to its root",
                    ),
                ),
            ],
            ...,
        ],
        Field(max_length=16),
    ] = ()
    """Folders that imports are looked for in, relative to the repository's root."""


class DirectorySpec(ApiModel):
    """Which files of a folder without a kustomization are manifests."""

    recurse: bool = True
    """Whether the folders below are read, too."""
    include: _Glob | None = None
    """Only files whose path, relative to the folder, matches: * takes slashes, {a,b} is either."""
    exclude: _Glob | None = None
    """No files whose path matches; it wins over include."""
    jsonnet: JsonnetSpec | None = None
    """How files that end in .jsonnet are evaluated; without it they are not looked at."""
