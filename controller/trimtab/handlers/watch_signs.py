"""How kopf's watches of our kinds fare, told by the HTTP session that it works with.

Requests of that session flow in; which kinds are watched, which are not and why, and each new list flow out. kopf tells
nobody: its handlers see objects, never that a list began or that a server refuses.
"""

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

Listing = Callable[[str], object]
"""Called with a kind when all objects of it are about to be shown anew."""


class WatchSigns:
    """Knows the plurals of our kinds. Lives where the desk lives; only the trace's callbacks run in kopf's thread."""

    def __init__(self, kinds: Mapping[str, str], listing: Listing) -> None:
        self._kinds = kinds
        self._listing = listing
        self._trouble: dict[str, str] = {}
        self.begin()

    def begin(self, failure: str = "") -> None:
        """kopf starts, or starts over after a failure: nothing is watched yet."""
        why = f"ended: {failure}" if failure else "is not open yet"
        self._trouble = dict.fromkeys(self._kinds, why)

    def trouble(self) -> str:
        """Which watches are not open, and why; empty where all are."""
        return "; ".join(f"the watch of {plural} {why}" for plural, why in sorted(self._trouble.items()))

    def opened(self, plural: str, status: int, lists: bool) -> None:
        """A watch request was answered; `lists`: its stream begins with all objects."""
        if plural not in self._kinds:
            return
        if status >= 300:
            self._trouble[plural] = f"was answered with HTTP {status}"
            return
        self._trouble.pop(plural, None)
        if lists:
            self._listing(self._kinds[plural])

    def failed(self, plural: str, why: str) -> None:
        """A watch request came to nothing."""
        if plural in self._kinds:
            self._trouble[plural] = why

    def trace(self, deliver: Callable[..., object]) -> aiohttp.TraceConfig:
        """What a session needs to tell; `deliver` calls a function where this object lives."""

        async def answered(_session: Any, _context: Any, params: aiohttp.TraceRequestEndParams) -> None:
            query = params.url.query
            if "watch" in query:
                deliver(self.opened, params.url.name, params.response.status, "sendInitialEvents" in query)

        async def raised(_session: Any, _context: Any, params: aiohttp.TraceRequestExceptionParams) -> None:
            if "watch" in params.url.query:
                reason = str(params.exception) or type(params.exception).__name__
                deliver(self.failed, params.url.name, f"cannot be opened: {reason}")

        config = aiohttp.TraceConfig()
        config.on_request_end.append(answered)
        config.on_request_exception.append(raised)
        config.freeze()
        return config
