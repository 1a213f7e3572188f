"""Fetches beside the loop, of charts and remote bases: a turn asks, goes on without where there is nothing yet, and is
woken.

What is wanted and how to fetch it flow in, what was found flows out. `sources`, `chart_desk` and `remote_bases` ask. A
server that is slow or stalls holds lanes of who asks it, and neither a worker of the loop nor a renderer's slot.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.lanes import Lanes
from trimtab.reconcile.ports import Clock
from trimtab.reconcile.queue import Backoff, Key

KEPT_SECONDS: Final = 300.0
"""So long what was found stays at hand for whoever asks again."""
_CLEAR_UP_SECONDS: Final = 10.0
LONGEST_PAUSE_SECONDS: Final = 300.0
_SHARE: Final = 0.5
"""Who is told of a failure comes back after a pause of the same kind: by then it must be over here."""

log = logging.getLogger(__name__)
Fetch = Callable[[], Awaitable[Any]]


class StillFetching(SourceError):
    """What is wanted is on its way; whoever asked is woken when it has come, or has failed to.

    `anew`: it was there before, and is looked for once more. `failed`: the last try brought nothing.
    """

    def __init__(self, what: str, *, anew: bool = False, failed: bool = False) -> None:
        super().__init__(Problem(f"fetching {what}", reason="Fetching", retry=True))
        self.what = what
        self.anew = anew
        self.failed = failed


@dataclass(eq=False, slots=True)
class _Wanted:
    """`found` is the result of the last try, a SourceError where it failed; it is told `until` then.

    `poked`: somebody asked for a try when this one had begun already, so its failure is no answer.
    """

    askers: set[Key] = field(default_factory=set)
    task: "asyncio.Task[None] | None" = None
    found: Any = None
    until: float = 0.0
    poked: bool = False
    backoff: Backoff = field(default_factory=Backoff)


class Fetches:
    """One per process. `wake` queues who asked."""

    def __init__(self, wake: Callable[[Key], None], clock: Clock, lanes: Lanes) -> None:
        self._wake = wake
        self._clock = clock
        self._wanted: dict[tuple[str, Hashable], _Wanted] = {}
        self._lanes = lanes
        self._clear_up_at = 0.0

    def ask(self, asker: Key, what: Hashable, server: str, fetch: Fetch, *, kept_seconds: float = KEPT_SECONDS) -> Any:
        """What was found, or the SourceError that it failed by; None where it is being fetched from now on.

        Equal `what`s of one namespace are fetched once, in a lane of its own to `server`: nobody waits for lanes that
        another namespace has filled. `fetch` keeps its own deadline, from when it has its lane. What it brings is kept
        for `kept_seconds` after whoever asked last.
        """
        self._clear_up()
        wanted = self._wanted.setdefault((asker.namespace, what), _Wanted())
        wanted.askers.add(asker)
        if wanted.task is not None:
            return None
        if wanted.found is not None and self._clock.monotonic() < wanted.until:
            if not isinstance(wanted.found, SourceError):
                wanted.until = self._clock.monotonic() + kept_seconds
            return wanted.found
        wanted.task = asyncio.ensure_future(self._run(wanted, asker.namespace, server, fetch, kept_seconds))
        return None

    def failed(self, asker: Key, what: Hashable) -> bool:
        """Whether the last try that has ended brought nothing."""
        wanted = self._wanted.get((asker.namespace, what))
        return wanted is not None and isinstance(wanted.found, SourceError)

    def try_again(self, asker: Key) -> None:
        """Somebody poked or changed it: what failed for it is fetched anew when it asks."""
        for wanted in self._wanted.values():
            if asker not in wanted.askers:
                continue
            wanted.poked = wanted.task is not None
            if isinstance(wanted.found, SourceError):
                wanted.until = 0.0

    def forget(self, asker: Key) -> None:
        """It is gone; what is on its way for nobody else is given up."""
        for what, wanted in list(self._wanted.items()):
            wanted.askers.discard(asker)
            if not wanted.askers:
                if wanted.task is not None:
                    wanted.task.cancel()
                del self._wanted[what]

    async def close(self) -> None:
        """Fetch no more."""
        tasks = [wanted.task for wanted in self._wanted.values() if wanted.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, wanted: _Wanted, namespace: str, server: str, fetch: Fetch, kept_seconds: float) -> None:
        try:
            async with self._lanes.turn(namespace, server):
                found = await fetch()
            wanted.backoff, pause = Backoff(), kept_seconds
        except SourceError as error:
            found, pause = error, wanted.backoff.next_seconds(LONGEST_PAUSE_SECONDS, scatter=0.5) * _SHARE
        except Exception as error:  # the boundary: whoever waits must be told
            log.exception("a fetch from %s: unexpected failure", server)
            problem = Problem(f"unexpected failure: {type(error).__name__}", reason="FetchFailed", retry=True)
            found, pause = SourceError(problem), LONGEST_PAUSE_SECONDS * _SHARE
        finally:
            wanted.task = None
        if wanted.poked and isinstance(found, SourceError):
            pause = 0.0
        wanted.poked = False
        wanted.found, wanted.until = found, self._clock.monotonic() + pause
        for asker in sorted(wanted.askers):
            self._wake(asker)

    def _clear_up(self) -> None:
        """Drop what nobody has asked for in a while, also failures that were told long ago."""
        now = self._clock.monotonic()
        if now < self._clear_up_at:
            return
        self._clear_up_at = now + _CLEAR_UP_SECONDS
        for what, wanted in list(self._wanted.items()):
            kept = wanted.until + (LONGEST_PAUSE_SECONDS * 2 if isinstance(wanted.found, SourceError) else 0.0)
            if wanted.task is None and wanted.found is not None and now >= kept:
                del self._wanted[what]
