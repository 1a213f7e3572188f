"""Inventory objects of Applications: the port `InventoryStore`.

Changes of entries flow in and are written to the shards concerned; all entries flow out as one map. Shards are read
once and kept in memory, so that a change costs one request per shard. The loop calls it before it applies and prunes.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trimtab.adapters.store.seal import Sealer
from trimtab.adapters.store.shards import (
    OWNER_LABEL,
    Shard,
    complete,
    others,
    read_shard,
    shard_body,
    shard_name,
    shard_spec,
)
from trimtab.api.inventory import RESOURCE, InventoryOwner, InventorySpec
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Entry, shard_of, shards_for, split, union
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.ports import Objects

_TRIES: Final = 5


@dataclass(slots=True)
class _Book:
    """All that is known of one Application's inventory."""

    namespace: str
    owner: InventoryOwner
    sealer: Sealer
    shards: dict[str, Shard] = field(default_factory=dict)
    """By object name; while one is replaced, two have the same number."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def count(self) -> int:
        """Into how many shards the inventory is cut; 0 before the first."""
        return max((item.shards for item in self.shards.values()), default=0)

    def current(self, number: int) -> Shard | None:
        """The shard of that number that is written to: one that stays, if there is one."""
        found = [item for item in self.shards.values() if item.shard == number]
        return min(found, key=lambda item: item.terminating, default=None)

    def entries(self, *, number: int | None = None) -> dict[ObjectRef, Entry]:
        """The union of all shards, or of those of one number."""
        return union(item.entries for item in self.shards.values() if number in (None, item.shard))


class KubeInventoryStore:
    """Implements `reconcile.ports.InventoryStore`. `key` is the installation's."""

    def __init__(self, objects: Objects, *, key: bytes) -> None:
        self._objects = objects
        self._key = key
        self._books: dict[str, _Book] = {}

    async def load(self, namespace: str, application: str, uid: str) -> dict[ObjectRef, Entry] | None:
        """All entries; an empty map where there never was a shard; None where one is missing or unreadable.

        Raises ApiError.
        """
        book = self._book(namespace, application, uid)
        await self._read(book)
        self._books[uid] = book
        return book.entries() if complete(book.shards.values()) else None

    async def change(
        self, namespace: str, application: str, uid: str, entries: Mapping[ObjectRef, Entry | None]
    ) -> None:
        """Add or change entries (None removes); returns when all is written. Raises ApiError.

        Makes whole what is missing: after `load` said None, the change is to hold what was found in the cluster.
        """
        if uid not in self._books:
            await self.load(namespace, application, uid)
        book = self._books[uid]
        async with book.turn:
            count, targets = _targets(book, entries)
            new = [number for number in targets if book.current(number) is None]
            old = [number for number in targets if number not in new]
            # New shards first: while an inventory is cut anew, an entry is in both places, never in none.
            for numbers in (new, old):
                await _all_of(self._write(book, number, count, targets[number], entries) for number in numbers)
            await self._drop_replaced(book)

    async def neighbours(self, namespace: str, uid: str) -> frozenset[ObjectRef]:
        """All that the stored inventories of other Applications hold. Raises ApiError, also where one is unreadable."""
        held: set[ObjectRef] = set()
        for body in await self._objects.list(RESOURCE, namespace):
            try:
                spec = InventorySpec.model_validate(body["spec"])
                if spec.application.uid != uid:
                    held.update(spec.to_entries())
            except (KeyError, ValueError):
                name = body["metadata"]["name"]
                raise ApiError(0, "InventoryUnreadable", f"Inventory {namespace}/{name} cannot be read") from None
        return frozenset(held)

    async def release(self, namespace: str, application: str, uid: str) -> None:
        """Delete all shards, then let go of them. Raises ApiError."""
        book = self._book(namespace, application, uid)
        try:
            bodies = await self._bodies(book)
        except ApiError as error:
            if not error.not_found:
                raise
            bodies = []  # the CRD went, and everything of its kind with it
        for body in bodies:
            # In this order: what still has the finalizer is found again if we end in between.
            metadata = body["metadata"]
            if "deletionTimestamp" not in metadata:
                await self._objects.delete(ObjectRef.of(body), RESOURCE.version, uid=metadata["uid"])
            await self._let_go(namespace, metadata["name"], metadata["uid"], metadata.get("finalizers") or [])
        self._books.pop(uid, None)

    def _book(self, namespace: str, application: str, uid: str) -> _Book:
        return _Book(namespace, InventoryOwner(name=application, uid=uid), Sealer(self._key, uid))

    async def _bodies(self, book: _Book) -> list[dict[str, Any]]:
        selector = f"{OWNER_LABEL}={book.owner.uid}"
        return await self._objects.list(RESOURCE, book.namespace, selector=selector)

    async def _read(self, book: _Book) -> None:
        """Read all shards anew; entries known before stay, since nobody but us removes any."""
        shards = {}
        for body in await self._bodies(book):
            shard = read_shard(body, book.sealer)
            before = book.shards.get(shard.name)
            if before is not None:
                shard.entries = union([shard.entries, before.entries])
            shards[shard.name] = shard
        book.shards = shards

    async def _write(
        self,
        book: _Book,
        number: int,
        count: int,
        entries: dict[ObjectRef, Entry],
        changes: Mapping[ObjectRef, Entry | None],
    ) -> None:
        """Bring one shard to these entries; a conflict adds what the shard says meanwhile, and tries again."""
        for attempt in range(_TRIES):
            shard = book.current(number)
            if shard and shard.sound and shard.shards == count and shard.entries == entries:
                return
            try:
                if shard is None or shard.terminating:
                    await self._create(book, number, count, entries, replaces=shard)
                else:
                    await self._update(book, shard, count, entries)
                return
            except ApiError as error:
                if attempt == _TRIES - 1 or not (error.conflict or error.not_found):
                    raise
            await self._read(book)
            mine = {ref: entry for ref, entry in changes.items() if entry is None or ref in entries}
            entries = _changed(union([book.entries(number=number), entries]), mine)

    async def _create(
        self, book: _Book, number: int, count: int, entries: dict[ObjectRef, Entry], *, replaces: Shard | None
    ) -> None:
        name = shard_name(book.owner, number, replaces=replaces.uid if replaces else "")
        spec = shard_spec(book.owner, entries, book.sealer, shard=number, shards=count)
        answer = await self._objects.create(shard_body(book.owner, book.namespace, name, spec))
        book.shards[name] = read_shard(answer, book.sealer)

    async def _drop_replaced(self, book: _Book) -> None:
        """Let go of the shards that somebody deleted, now that others of their number stand beside them."""
        for shard in list(book.shards.values()):
            if shard.terminating and book.current(shard.shard) is not shard:
                await self._let_go(book.namespace, shard.name, shard.uid, shard.finalizers)
                del book.shards[shard.name]

    async def _update(self, book: _Book, shard: Shard, count: int, entries: dict[ObjectRef, Entry]) -> None:
        spec = shard_spec(book.owner, entries, book.sealer, shard=shard.shard, shards=count)
        patch = {"metadata": {"resourceVersion": shard.resource_version}, "spec": spec}
        answer = await self._objects.merge(_ref(book.namespace, shard.name), RESOURCE.version, patch)
        shard.resource_version = answer["metadata"]["resourceVersion"]
        shard.shards = count
        shard.entries = dict(entries)
        shard.readable = True

    async def _let_go(self, namespace: str, name: str, uid: str, finalizers: list[str]) -> None:
        """Take our finalizer off an object that is being deleted."""
        patch = {"metadata": {"uid": uid, "finalizers": others(finalizers)}}
        try:
            await self._objects.merge(_ref(namespace, name), RESOURCE.version, patch)
        except ApiError as error:
            if not error.not_found:
                raise


def _ref(namespace: str, name: str) -> ObjectRef:
    return ObjectRef(LOCAL_CLUSTER, RESOURCE.group, RESOURCE.kind, namespace, name)


def _targets(book: _Book, changes: Mapping[ObjectRef, Entry | None]) -> tuple[int, dict[int, dict[ObjectRef, Entry]]]:
    """The count of shards after the changes, and the entries of those shards that may need to be written."""
    shards = list(book.shards.values())
    entries = sum(len(item.entries) for item in shards) + len(changes)
    if len(shards) == book.count >= shards_for(entries) and all(item.sound for item in shards) and complete(shards):
        mine: dict[int, dict[ObjectRef, Entry | None]] = {}
        for ref, entry in changes.items():
            mine.setdefault(shard_of(ref, shards=book.count), {})[ref] = entry
        parts = {item.shard: item.entries for item in shards if item.shard in mine}
        return book.count, {number: _changed(part, mine[number]) for number, part in parts.items()}
    kept = _changed(book.entries(), changes)
    count = max(book.count, shards_for(len(kept)))
    return count, dict(enumerate(split(kept, shards=count)))


def _changed(entries: Mapping[ObjectRef, Entry], changes: Mapping[ObjectRef, Entry | None]) -> dict[ObjectRef, Entry]:
    merged = {**entries, **changes}
    return {ref: entry for ref, entry in merged.items() if entry is not None}


async def _all_of(writes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Let all writes end, then raise the first failure: one shard's must not leave others' answers unread."""
    for result in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
