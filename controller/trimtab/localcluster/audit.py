"""Reads the API server's audit log as requests, so that tests and the bench can count who asked for what.

In: the log's path and where the last reading ended; out: each request once, and where this reading ended.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

_LONGEST_LINE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class AuditedRequest:
    """One request; `time` is RFC 3339 with microseconds, `resource` is `plural.group` with a subresource after `/`."""

    verb: str
    uri: str
    user: str
    user_agent: str
    code: int
    time: str
    resource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def writes(self) -> bool:
        """Whether it was meant to change something (dry runs count too)."""
        return self.verb in {"create", "update", "patch", "apply", "delete", "deletecollection"}


def end(path: Path) -> int:
    """Where a later reading begins that is to find what is recorded from now on: a line may be half written now."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        before = max(size - _LONGEST_LINE_BYTES, 0)
        stream.seek(before)
        return before + stream.read(size - before).rfind(b"\n") + 1


def read(path: Path, *, start_bytes: int = 0) -> tuple[list[AuditedRequest], int]:
    """The requests recorded after `start_bytes`, in the order of the log, and the offset for the next reading.

    A watch counts when it starts, everything else when it is answered; a line that is still being written is left for
    the next reading.
    """
    with path.open("rb") as stream:
        stream.seek(start_bytes)
        content = stream.read()
    complete = content[: content.rfind(b"\n") + 1]
    events = [orjson.loads(line) for line in complete.splitlines()]
    return [_request(event) for event in events if _counts(event)], start_bytes + len(complete)


def _counts(event: dict[str, Any]) -> bool:
    # Watches are logged twice, when they start and when they end.
    return bool(event["stage"] == ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"))


def _request(event: dict[str, Any]) -> AuditedRequest:
    target = event.get("objectRef") or {}
    group, subresource = target.get("apiGroup"), target.get("subresource")
    resource = target.get("resource", "") + (f".{group}" if group else "") + (f"/{subresource}" if subresource else "")
    return AuditedRequest(
        verb=event["verb"],
        uri=event["requestURI"],
        user=event.get("user", {}).get("username", ""),
        user_agent=event.get("userAgent", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        time=event["stageTimestamp"],
        resource=resource,
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
    )
