"""What each act took: seconds, and the controller's requests as the API server's own audit log counts them.

The audit log flows in, act by act; rows for the last table flow out.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trimtab.api.timestamps import parse_time
from trimtab.core.names import FIELD_MANAGER
from trimtab.localcluster.audit import AuditedRequest, read

AGENT: Final = f"{FIELD_MANAGER}/"
"""How the User-Agent of the controller begins; kubectl and the demo itself have others."""


@dataclass(frozen=True, slots=True)
class Row:
    """An act: what happened, how long it took, how many requests the controller sent for it, what to know of it."""

    title: str
    seconds: float
    reads: int
    writes: int
    remark: str


@dataclass(slots=True)
class Tally:
    """Counts from act to act."""

    log: Path
    rows: list[Row] = field(default_factory=list)
    _offset_bytes: int = 0
    _started: float = 0.0
    _requests: list[AuditedRequest] = field(default_factory=list)

    def begin(self) -> None:
        """An act begins: what was asked before does not count."""
        self.requests()
        self._requests = []
        self._started = time.monotonic()

    def elapsed_seconds(self) -> float:
        """Since the act began."""
        return time.monotonic() - self._started

    def end(self, title: str, seconds: float, remark: str) -> None:
        """The act is over."""
        ours = controllers(self.requests())
        writes = sum(request.writes for request in ours)
        self.rows.append(Row(title, seconds, len(ours) - writes, writes, remark))

    def requests(self) -> list[AuditedRequest]:
        """Everybody's requests since the act began."""
        found, self._offset_bytes = read(self.log, start_bytes=self._offset_bytes)
        self._requests += found
        return self._requests


def controllers(requests: Sequence[AuditedRequest]) -> list[AuditedRequest]:
    """The controller's, but for watches."""
    return [request for request in requests if request.user_agent.startswith(AGENT) and request.verb != "watch"]


def gap_seconds(requests: Sequence[AuditedRequest], *, resource: str, namespace: str, name: str) -> float | None:
    """From the answer to somebody's change of an object to the answer to the controller's next; None without both."""
    of_it = [
        request
        for request in requests
        if request.writes and (request.resource, request.namespace, request.name) == (resource, namespace, name)
    ]
    changes = [request for request in of_it if not request.user_agent.startswith(AGENT)]
    if not changes:
        return None
    changed = parse_time(changes[0].time)
    answers = [parse_time(request.time) for request in of_it if request.user_agent.startswith(AGENT)]
    return next((answer - changed for answer in answers if answer >= changed), None)
