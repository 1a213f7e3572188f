"""The watch of one resource type, for as long as somebody wants it.

Watch events and failures of one stream after the other flow in; `Seen`, `Vanished`, `Synced` and `WatchTrouble` flow
to the sink, in order. `watcher` runs one for each type.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from trimtab.adapters.kube.connection import Connection, Request, encode_query
from trimtab.adapters.kube.jitter import longer
from trimtab.adapters.kube.lines import LineBuffer
from trimtab.adapters.kube.lists import list_all
from trimtab.adapters.kube.watch_events import Gone, Marked, Shown, read_event
from trimtab.core.api_error import ApiError
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType
from trimtab.reconcile.ports import Seen, Synced, Vanished, WatchSink, WatchTrouble

LIVED_SECONDS: Final = 1.0
BREATH_EVENTS: Final = 32
"""After so many events the event loop gets a turn: a long list must not hold up probes and other watches."""
_REFUSED: Final = (403, 404, 405)
_UNSUPPORTED: Final = (400, 422)


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """How long a watch waits for what, in seconds."""

    lifetime_seconds: float = 300.0
    """The server ends a stream after this to twice this."""
    idle_seconds: float = 150.0
    """Silence after which a stream counts as dead; bookmarks come about every minute."""
    first_delay_seconds: float = 0.2
    """Before the first retry; each further one doubles it."""
    longest_delay_seconds: float = 5.0
    """Where the doubling ends, and about how long drift stays after the server is back."""
    refused_delay_seconds: float = 10.0
    """Between tries where the server refuses the watch as such (forbidden, no such type)."""
    trouble_after_seconds: float = 3.0
    """How long retries may fail before it is called trouble and the type is listed anew."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is watched of each type."""

    selector: str = ""
    namespace: str = ""
    cluster: str = LOCAL_CLUSTER


class TypeWatch:
    """Lists and watches one type until its task is cancelled."""

    def __init__(
        self, connection: Connection, kind: ResourceType, sink: WatchSink, *, scope: Scope, times: WatchTimes
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._sink = sink
        self._scope = scope
        self._times = times
        self._version = ""
        """Where to resume; empty: list anew."""
        self._streamed = True
        """Whether the server streams initial lists, as far as is known."""
        self._failures = 0
        self._failing_since: float | None = None
        self._opened_at: float | None = None
        self._trouble = ""
        self.synced = False
        self.last_sign = time.monotonic()

    async def run(self) -> None:
        """Never returns; an exception out of here is a defect, or the sink's."""
        while True:
            self._opened_at = None
            try:
                await self._once()
                self._judge_life()
                delay_seconds = self._back_off() if self._failures else self._first_failure()
            except ApiError as error:
                self._judge_life()
                delay_seconds = self._after_failure(error)
            # A failed try counts: the watch is being cared for, and the trouble told elsewhere.
            self.last_sign = time.monotonic()
            await asyncio.sleep(delay_seconds)

    async def _once(self) -> None:
        if self._version:
            await self._stream(initial=False)
        elif self._streamed:
            await self._stream(initial=True)
        else:
            await self._list()
            await self._stream(initial=False)

    async def _list(self) -> None:
        objects, version = await list_all(
            self._connection, self._kind, namespace=self._scope.namespace, selector=self._scope.selector
        )
        for body in objects:
            self._sink(Seen(self._kind, body))
        self._complete({ObjectRef.of(body, cluster=self._scope.cluster) for body in objects}, version)

    async def _stream(self, *, initial: bool) -> None:
        shown: set[ObjectRef] | None = set() if initial else None
        async with self._connection.stream(
            self._request(initial=initial), idle_seconds=self._times.idle_seconds
        ) as body:
            self._opened_at = self.last_sign = time.monotonic()
            lines = LineBuffer()
            while chunk := await body.readany():
                self.last_sign = time.monotonic()
                for number, line in enumerate(lines.feed(chunk), start=1):
                    shown = self._take(read_event(line), shown)
                    if number % BREATH_EVENTS == 0:
                        await asyncio.sleep(0)
        if shown is not None:
            raise ApiError(422, "Incomplete", f"the streamed list of {self._kind.plural} ended without its mark")

    def _take(self, event: Shown | Gone | Marked, shown: set[ObjectRef] | None) -> set[ObjectRef] | None:
        """Pass one event on. `shown` gathers the initial list; None once that is complete."""
        match event:
            case Marked(version, initial_end):
                if shown is None:
                    self._version = version
                elif initial_end:
                    self._complete(shown, version)
                    return None
            case Shown(body):
                self._sink(Seen(self._kind, body))
                self._note(body["metadata"]["resourceVersion"], shown)
                if shown is not None:
                    shown.add(ObjectRef.of(body, cluster=self._scope.cluster))
            case Gone(body):
                self._sink(Vanished(self._kind, body))
                self._note(body["metadata"]["resourceVersion"], shown)
                if shown is not None:
                    shown.discard(ObjectRef.of(body, cluster=self._scope.cluster))
        return shown

    def _note(self, version: str, shown: set[ObjectRef] | None) -> None:
        """Remember where to resume; the events of an initial list come in no order to resume from."""
        if shown is None:
            self._version = version

    def _complete(self, shown: set[ObjectRef], version: str) -> None:
        self._version = version
        self._trouble = ""
        self.synced = True
        self._sink(Synced(self._kind, frozenset(shown)))

    def _judge_life(self) -> None:
        """A stream that lived a while makes up for the failures before it; one that fails at once does not."""
        if self._opened_at is not None and time.monotonic() - self._opened_at >= LIVED_SECONDS:
            self._failures = 0
            self._failing_since = None

    def _request(self, *, initial: bool) -> Request:
        lifetime_seconds = longer(self._times.lifetime_seconds, share=1.0)
        params = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(max(1, round(lifetime_seconds)))}
        if self._scope.selector:
            params["labelSelector"] = self._scope.selector
        if initial:
            params |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        else:
            params["resourceVersion"] = self._version
        path = self._kind.path(self._scope.namespace)
        return Request("GET", path, encode_query(params), verb="watch", resource=self._kind.plural)

    def _after_failure(self, error: ApiError) -> float:
        """What a failure means for the next try; returns the seconds until then."""
        if error.status == 410:
            # What happened since is lost: until the new list is through, nobody knows what exists.
            self.synced = False
            self._version = ""
            self._tell_if_lasting(error)
            return self._back_off() if self._failures else self._first_failure()
        initial = not self._version
        if initial and self._streamed and (error.status in _UNSUPPORTED or self._silent(error)):
            self._streamed = False
            return 0.0
        if error.status in _REFUSED or error.status in _UNSUPPORTED:
            self._tell(error)
            return longer(self._times.refused_delay_seconds)
        self._tell_if_lasting(error)
        return max(self._back_off(), longer(error.retry_after_seconds or 0.0))

    def _tell_if_lasting(self, error: ApiError) -> None:
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since >= self._times.trouble_after_seconds:
            self._tell(error)

    def _silent(self, error: ApiError) -> bool:
        """Whether the server accepted a streamed list and then said nothing: it does not know of such lists."""
        return error.reason == "Timeout" and self._opened_at is not None

    def _first_failure(self) -> float:
        """A stream that ended after a good life is resumed at once."""
        self._failures += 1
        return 0.0

    def _back_off(self) -> float:
        """Seconds until the next try, doubling with each failure in a row."""
        delay_seconds = self._times.first_delay_seconds * 2 ** min(self._failures, 16)
        self._failures += 1
        return longer(min(delay_seconds, self._times.longest_delay_seconds))

    def _tell(self, error: ApiError) -> None:
        """Report trouble, once for each reason; the list that ends it tells what happened meanwhile."""
        self.synced = False
        self._version = ""
        if str(error) != self._trouble:
            self._trouble = str(error)
            self._sink(WatchTrouble(self._kind, self._trouble))
