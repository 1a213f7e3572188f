"""Times as Kubernetes writes them: RFC 3339 in UTC, to the second.

Seconds since the epoch flow in from the loop's clock, text flows out into status and Events, and back for the CLI.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import WithJsonSchema

Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""A field that holds such a time as text."""


def format_time(seconds: float) -> str:
    """`2026-01-31T12:00:00Z` for seconds since the epoch; fractions are cut off, as metav1.Time does."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(seconds: float) -> str:
    """The same with microseconds, as metav1.MicroTime asks for in Events."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> float:
    """Seconds since the epoch of either form. Raises ValueError where the text is no RFC 3339 time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"not a time with a zone: {text!r}")
    return moment.timestamp()
