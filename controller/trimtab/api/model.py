"""What all kinds share: the rules of the models, object metadata and conditions.

The modules of the kinds build on it; `schema` turns their fields, defaults and docstrings into OpenAPI.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trimtab.api.timestamps import Timestamp
from trimtab.core.names import REQUESTED_AT_ANNOTATION

NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
"""What the API server takes for a name of most kinds: nothing that could be a path."""

Count = Annotated[int, Field(ge=0)]
"""A number of things."""


def cel(rule: str, message: str) -> dict[str, Any]:
    """Schema keywords for one CEL rule that the API server checks, with the words it refuses in."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def all_of(*keywords: dict[str, Any]) -> dict[str, Any]:
    """Schema keywords for several CEL rules that must all hold."""
    key = "x-kubernetes-validations"
    return {key: [rule for each in keywords for rule in each[key]]}


class ApiModel(BaseModel):
    """camelCase outside, frozen inside; unknown fields are ignored, since the API server prunes them anyway."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )

    def to_body(self) -> dict[str, Any]:
        """JSON-like content with camelCase keys, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class LocalName(ApiModel):
    """A reference to an object of the same namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253, pattern=NAME_PATTERN)]
    """Name of the object."""


class ConditionStatus(StrEnum):
    """metav1.ConditionStatus."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ApiModel):
    """One aspect of the object's state, as metav1.Condition defines it."""

    type: Annotated[str, Field(max_length=316, pattern=r"^[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")]
    """Name of the aspect."""
    status: ConditionStatus
    """Whether it holds."""
    observed_generation: Count | None = None
    """The metadata.generation that this was said of."""
    last_transition_time: Timestamp
    """When the status last changed."""
    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    """One word for machines: why it has this status."""
    message: Annotated[str, Field(max_length=32768)]
    """A sentence for people."""


Conditions = Annotated[
    tuple[Condition, ...],
    Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
]
"""A list of conditions, one per type."""


class ObjectMeta(ApiModel):
    """The parts of metadata that Trimtab reads of its own kinds."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}

    @property
    def requested_at(self) -> str:
        """The value of the poke annotation; empty where nobody poked."""
        return self.annotations.get(REQUESTED_AT_ANNOTATION, "")

    @property
    def deleting(self) -> bool:
        """Whether deletion has been asked for."""
        return self.deletion_timestamp is not None


class Resource(ApiModel):
    """An object of one of our kinds; subclasses add spec and status."""

    metadata: ObjectMeta

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """The typed form of a body. Raises pydantic.ValidationError where our CRD would have refused it."""
        return cls.model_validate(body)


class Status(ApiModel):
    """What every status holds."""

    observed_generation: Count | None = None
    """The metadata.generation that this status speaks of."""
    conditions: Conditions = ()
    """The state in the words of kstatus and of Trimtab."""
    last_handled_reconcile_at: str | None = None
    """The last value of the annotation reconcile.trimtab.dev/requestedAt that was acted on."""

    def condition(self, kind: str) -> Condition | None:
        """The condition of a type, None where it is not there."""
        return next((condition for condition in self.conditions if condition.type == kind), None)
