"""Which resource types are watched: the union over all Applications, kept as they come and go."""

from collections.abc import Collection

from trimtab.core.refs import ResourceType
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import Watches
from trimtab.reconcile.queue import Key

SYNC_SECONDS = 10.0
"""How long a turn waits for the first list of a new watch before it asks object by object instead."""


class WatchSet:
    """Wishes of Applications in, one set of watches out."""

    def __init__(self, watches: Watches, observer: Observer) -> None:
        self._watches = watches
        self._observer = observer
        self._wishes: dict[Key, frozenset[ResourceType]] = {}
        self._watched: frozenset[ResourceType] = frozenset()

    async def want(self, key: Key, kinds: Collection[ResourceType]) -> None:
        """Have these types watched for an Application, and wait until what they hold was shown."""
        wish = frozenset(kinds)
        if self._wishes.get(key) != wish:
            self._wishes[key] = wish
            self._settle()
        await self._observer.wait_synced(kinds, timeout_seconds=SYNC_SECONDS)

    def forget(self, key: Key) -> None:
        """The Application is gone."""
        if self._wishes.pop(key, None) is not None:
            self._settle()

    def _settle(self) -> None:
        wanted = frozenset().union(*self._wishes.values())
        if wanted == self._watched:
            return
        self._observer.unwatched(self._watched - wanted)
        self._watched = wanted
        self._watches.want(wanted)
