"""Durations as Kubernetes users write them (`5m`, `1h30m`, `500ms`), held as seconds.

Specs flow in as text, seconds flow out; `Duration` is the field type of every model that has one.
"""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

MAX_LENGTH: Final = 32
MIN_SECONDS: Final = 1.0
MAX_SECONDS: Final = 2**63 / 1e9
"""The longest that Kubernetes itself can hold."""
DURATION_PATTERN: Final = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_WHOLE: Final = re.compile(DURATION_PATTERN)
_UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def parse_duration(text: str) -> float:
    """Seconds of a Go duration with the units h, m, s and ms. Raises ValueError where the text is none."""
    if not _WHOLE.match(text) or text.endswith("\n"):
        raise ValueError(f"not a duration: {text!r} (write it like 30s, 5m or 1h30m)")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(text))


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back to the same milliseconds: 5400 → `1h30m`."""
    millis = round(seconds * 1000)
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, millis = divmod(millis, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _seconds(value: object) -> object:
    """What the schema has refused already where the API server judged it. Raises ValueError."""
    if not isinstance(value, str):
        return value
    if len(value) > MAX_LENGTH:
        raise ValueError(f"a duration longer than {MAX_LENGTH} characters")
    seconds = parse_duration(value)
    if seconds < MIN_SECONDS:
        raise ValueError("must be at least one second (1s)")
    if seconds > MAX_SECONDS:
        raise ValueError("a duration longer than 292 years")
    return seconds


def _schema(*rules: dict[str, str]) -> WithJsonSchema:
    text = {"type": "string", "pattern": DURATION_PATTERN, "maxLength": MAX_LENGTH}
    return WithJsonSchema({**text, "x-kubernetes-validations": list(rules)})


_AT_LEAST: Final = {"rule": "duration(self) >= duration('1s')", "message": "must be at least one second (1s)"}
_AT_MOST: Final = {"rule": "duration(self) <= duration('1h')", "message": "must be at most one hour (1h)"}

Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(format_duration, return_type=str),
    _schema(_AT_LEAST),
]
"""Seconds in Python, a duration's text in JSON; at least one second where the API server judges it."""

FetchTimeout = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(le=3600.0),
    PlainSerializer(format_duration, return_type=str),
    _schema(_AT_LEAST, _AT_MOST),
]
"""A Duration of one hour at most: a slow server holds a lane of its namespace for so long."""
