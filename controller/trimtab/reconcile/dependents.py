"""Who uses a source: those that a new artifact concerns are woken at once, all others behind them.

The reconcilers of sources hand in what arrived. A commit of a large repository concerns few of its Applications; the
others only have to say that they are at it now, and what they are doing goes on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from trimtab.core.errors import SourceError
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.queue import Key, WorkQueue
from trimtab.reconcile.sources import names_of


class Readers(Protocol):
    """Knows what Applications have read of their sources."""

    async def unconcerned(self, tree: SourceTree, readers: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Those to whom `tree`, in the place of their sources of these names, means the same as before.

        Applications are told by their UIDs. Raises SourceError.
        """
        ...


@dataclass(slots=True, kw_only=True)
class Dependents:
    """One per process."""

    desk: Desk
    queue: WorkQueue
    artifacts: Artifacts
    readers: Readers

    async def arrived(self, source: Key, artifact: Artifact) -> None:
        """Make an artifact the newest of its source, and wake whoever uses that."""
        if not self.artifacts.is_news(source, artifact):
            self.artifacts.put(source, artifact)
            return
        before = self.artifacts.get(source)
        # Other rules concern everybody: files do not tell what may be brought in by them.
        same_rules = before is not None and (before.bases, before.verified) == (artifact.bases, artifact.verified)
        try:
            # Before anybody sees the artifact: who is at work then knows whether to give up for it.
            readers = dict(self._readers(source)) if same_rules else {}
            unconcerned = await self.readers.unconcerned(artifact.tree, readers)
        except SourceError:
            # Their own turns find out, and say so.
            unconcerned = frozenset()
        self.artifacts.put(source, artifact)
        behind = []
        for key in self.desk.dependents(source):
            application = self.desk.application(key)
            if application is not None and application.metadata.uid in unconcerned:
                behind.append(key)
            else:
                self.queue.add_ahead(key)
        for key in self.desk.including(source):
            self.queue.add(key)
        for key in behind:
            self.queue.add(key, behind=True)

    def wake(self, source: Key) -> None:
        """Something else is new of a source: it failed, or is gone."""
        for key in (*self.desk.dependents(source), *self.desk.including(source)):
            self.queue.add(key)

    def _readers(self, source: Key) -> "list[tuple[str, frozenset[str]]]":
        found = ((key, self.desk.application(key)) for key in self.desk.dependents(source))
        return [(each.metadata.uid, names_of(key, each, source)) for key, each in found if each is not None]
