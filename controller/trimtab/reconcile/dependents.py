"""Who uses a source: those that a new revision concerns are woken at once, all others behind them.

The reconcilers of sources call it when something arrived. A commit of a large repository concerns few of its
Applications; the others only have to say that they are at it now.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from trimtab.core.errors import SourceError
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.queue import Key, WorkQueue
from trimtab.reconcile.sources import names_of


class Readers(Protocol):
    """Knows what Applications have read of their sources."""

    async def concerned(self, tree: SourceTree, readers: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Those to whom `tree`, in the place of their sources of these names, means something else than before.

        Applications are told by their UIDs. Raises SourceError.
        """
        ...


@dataclass(slots=True, kw_only=True)
class Dependents:
    """One per process."""

    desk: Desk
    queue: WorkQueue
    readers: Readers

    async def arrived(self, source: Key, tree: SourceTree) -> None:
        """A source has a new artifact, `tree`."""
        keys, names = {}, {}
        for key in self.desk.dependents(source):
            if application := self.desk.application(key):
                uid = application.metadata.uid
                keys[uid], names[uid] = key, names_of(key, application, source)
        try:
            concerned = await self.readers.concerned(tree, names)
        except SourceError:
            # Their own turns find out, and say so.
            concerned = frozenset(keys)
        for key in (*(keys[uid] for uid in concerned), *self.desk.including(source)):
            self.queue.add(key)
        for uid in keys.keys() - concerned:
            self.queue.add(keys[uid], behind=True)

    def all_of(self, source: Key) -> None:
        """Something else is new of a source: it failed, or is gone."""
        for key in (*self.desk.dependents(source), *self.desk.including(source)):
            self.queue.add(key)
