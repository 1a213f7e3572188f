"""How a piece of work ended, as data: retry policy is a value, not control flow.

The loop makes them at the one place where exceptions stop; the work queue reads them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """The label under which metrics count a reconciliation."""

    SUCCESS = "success"
    FAILURE = "failure"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`retry_seconds` None: wait for the next event; 0: the queue's own back-off; above 0: exactly then."""

    result: Result
    retry_seconds: float | None = None
    error: str = ""

    @classmethod
    def done(cls, *, again_seconds: float | None = None) -> "Outcome":
        """Success, with an optional time at which to look again."""
        return cls(Result.SUCCESS, again_seconds)

    @classmethod
    def failed(cls, error: str, *, retry: bool = True) -> "Outcome":
        """A failure; `retry` False where only a change by a user can help."""
        return cls(Result.FAILURE, 0.0 if retry else None, error)
