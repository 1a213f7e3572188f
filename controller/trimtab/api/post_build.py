"""`spec.postBuild` of an Application: variables that are put into what was built.

`application` joins it to the spec, `render/substitution` acts on it. The names are those of Flux's Kustomization.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from trimtab.api.model import ApiModel, LocalName, cel

VARIABLE_NAME: Final = "^[A-Za-z_][A-Za-z0-9_]*$"


class SubstituteStrategy(StrEnum):
    """When variables are looked for."""

    WITH_VARIABLES = "WithVariables"
    ALWAYS = "Always"


class SubstituteFrom(LocalName):
    """A ConfigMap or Secret of the same namespace whose keys are variables."""

    kind: Literal["ConfigMap", "Secret"]
    """Kind of the object."""
    optional: bool = False
    """Whether the object may be missing."""


_Variables = Annotated[
    dict[str, Annotated[str, Field(max_length=65536)]],
    Field(
        json_schema_extra={
            "maxProperties": 512,
            **cel(
                f"self.all(name, name.matches('{VARIABLE_NAME}'))",
                "names of variables hold letters, digits and underscores, and begin with no digit",
            ),
        }
    ),
]


class PostBuild(ApiModel):
    """What is done to the manifests once they are built."""

    substitute: _Variables = Field(default={})
    """Variables by name. They win over those of substituteFrom."""
    substitute_from: Annotated[tuple[SubstituteFrom, ...], Field(max_length=64)] = ()
    """Objects whose keys are variables; later ones win."""
    substitute_strategy: SubstituteStrategy = SubstituteStrategy.WITH_VARIABLES
    """WithVariables leaves manifests alone where no variable is given at all, Always does not."""
    strict: bool = True
    """Whether a variable without value and default is an error; it is replaced by nothing where this is false."""
