"""What came of an apply run's commands. The loop reports these; each answers exactly one command, but for `Tick`."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from trimtab.core.api_error import ApiError
from trimtab.core.observed import Observed
from trimtab.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Recorded:
    """The inventory entries of the last `Record` are written."""

    refs: Collection[ObjectRef] = ()


@dataclass(frozen=True, slots=True)
class RecordFailed:
    """The last `Record` was not, or not wholly, written. `final`: trying again cannot help."""

    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """An `Apply` succeeded; `body` is the server's answer."""

    ref: ObjectRef
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Got:
    """What a `Get` saw."""

    ref: ObjectRef
    observed: Observed


@dataclass(frozen=True, slots=True)
class Claimed:
    """A `Claim` succeeded; `body` is the server's answer."""

    ref: ObjectRef
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Removed:
    """A `Remove` was accepted; finalizers may still hold the object."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class Unmarked:
    """An `Unmark` succeeded."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class Gone:
    """The object of a `Remove`, `Unmark` or `AwaitGone` is not there (any more)."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class Established:
    """The kinds of an `AwaitEstablished` are served."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class Refused:
    """Any command on the object failed."""

    ref: ObjectRef
    error: ApiError


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A wait took too long, or was cut short after a cancellation."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class Tick:
    """Some time has passed: results gathered so far should be written. Answers no command."""


ObjectEvent = Answered | Got | Claimed | Removed | Unmarked | Gone | Established | Refused | TimedOut
"""Events of one object: all have `ref`."""

Event = Recorded | RecordFailed | ObjectEvent | Tick
