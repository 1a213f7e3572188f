"""Inventories in memory: the ports `InventoryStore` and `Rebuilder`."""

from collections.abc import Callable, Mapping

from tests.fakes.cluster import Cluster

from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Applied, Entry
from trimtab.core.refs import ObjectRef
from trimtab.plan.ownership import Owner, proven


class FakeStore:
    """Inventories by UID. `lost` ones cannot be read; `trouble` is raised by changes as long as it is set."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[ObjectRef, Entry]] = {}
        self.lost: set[str] = set()
        self.trouble: ApiError | None = None
        self.loads = 0
        self.changes: list[Mapping[ObjectRef, Entry | None]] = []
        self.released: list[str] = []

    async def load(self, namespace: str, application: str, uid: str) -> dict[ObjectRef, Entry] | None:
        """All entries."""
        self.loads += 1
        return None if uid in self.lost else dict(self.entries.get(uid, {}))

    async def change(
        self, namespace: str, application: str, uid: str, entries: Mapping[ObjectRef, Entry | None]
    ) -> None:
        """Add, change, remove."""
        if self.trouble is not None:
            raise self.trouble
        self.lost.discard(uid)
        self.changes.append(dict(entries))
        kept = self.entries.setdefault(uid, {})
        for ref, entry in entries.items():
            if entry is None:
                kept.pop(ref, None)
            else:
                kept[ref] = entry

    async def neighbours(self, namespace: str, uid: str) -> frozenset[ObjectRef]:
        """What the others hold."""
        return frozenset(ref for other, entries in self.entries.items() if other != uid for ref in entries)

    async def release(self, namespace: str, application: str, uid: str) -> None:
        """Remove."""
        self.released.append(uid)
        self.entries.pop(uid, None)


class FakeRebuilder:
    """Finds marked objects."""

    def __init__(self, cluster: Cluster, baseline: Callable[[dict[str, object]], str | None]) -> None:
        self.rebuilt: list[Owner] = []
        self._cluster = cluster
        self._baseline = baseline

    async def rebuild(self, owner: Owner) -> dict[ObjectRef, Entry]:
        """Entries of all that is the owner's beyond doubt."""
        self.rebuilt.append(owner)
        return {
            ObjectRef.of(body): Applied("v1", body["metadata"]["uid"], self._baseline(body) or "", "")
            for body in self._cluster.marked()
            if proven(body, owner)
        }
