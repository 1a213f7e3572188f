"""An API server's refusal, independent of the HTTP library that carried it.

The Kubernetes adapter raises it; apply and reconcile decide by status and reason what follows.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of a Status' `details.causes`: the field and what is wrong with it."""

    field: str
    message: str
    reason: str = ""


class ApiError(Exception):
    """A request failed. `status` 0 means that no answer came (connection refused, reset, timed out).

    `message` is the server's own text with values of Secrets already masked.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        causes: tuple[Cause, ...] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{reason or status}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retry_after_seconds = retry_after_seconds

    @property
    def not_found(self) -> bool:
        """404: the object, or the resource type, is absent."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """409: a resourceVersion or uid precondition did not hold, or the object exists already."""
        return self.status == 409

    @property
    def invalid(self) -> bool:
        """422: validation refused the object."""
        return self.status == 422

    @property
    def untypable(self) -> bool:
        """The declared shape does not fit the schema; comes as HTTP 500 and never mends by itself."""
        return "failed to create typed patch object" in self.message or "failed to convert new object" in self.message

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later without anybody's doing."""
        if self.untypable:
            return False
        return self.status in (0, 408, 409, 429) or self.status >= 500
