"""Inventory objects of Applications: the port `InventoryStore`.

Entries flow in and are written to the shards they belong to, an entry to its new shard before it leaves the old; all of
them flow out as one map. Shards are read once and kept, so that a change costs one request per shard concerned.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from trimtab.api.inventory import RESOURCE, Inventory, InventoryOwner, InventorySpec
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Entry, shard_of, shards_for, union
from trimtab.core.names import API_GROUP, FINALIZER
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.ports import Objects

OWNER_LABEL = f"{API_GROUP}/inventory-of"
"""Label of a shard: the UID of its Application."""
_ATTEMPTS = 5


@dataclass(slots=True)
class _Shard:
    """A shard as it was last read or written."""

    resource_version: str
    shards: int
    entries: dict[ObjectRef, Entry]


@dataclass(slots=True)
class _Book:
    """All shards of one Application, by number."""

    shards: dict[int, _Shard] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def count(self) -> int:
        """Into how many shards the inventory is cut; 0 before the first."""
        return max((shard.shards for shard in self.shards.values()), default=0)

    @property
    def entries(self) -> dict[ObjectRef, Entry]:
        """The union of all shards."""
        return union(shard.entries for shard in self.shards.values())


class KubeInventoryStore:
    """One per process; assumes that nobody else writes the Inventory of the same Application."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._books: dict[str, _Book] = {}

    async def load(self, namespace: str, application: str, uid: str) -> dict[ObjectRef, Entry] | None:
        """All entries; an empty map where there never was a shard; None where one is missing or unreadable.

        Raises ApiError.
        """
        book = _Book()
        listed = await self._objects.list(RESOURCE, namespace, selector=f"{OWNER_LABEL}={uid}")
        self._books[uid] = book
        whole = True
        for body in listed:
            try:
                spec = Inventory.parse(body).spec
                book.shards[spec.shard] = _Shard(
                    body["metadata"]["resourceVersion"], spec.shards, dict(spec.to_entries())
                )
            except (ValidationError, ValueError):
                whole = False
        if not whole or any(number not in book.shards for number in range(book.count)):
            return None
        return book.entries

    async def change(
        self, namespace: str, application: str, uid: str, entries: Mapping[ObjectRef, Entry | None]
    ) -> None:
        """Add or change entries (None removes); returns when all is written. Raises ApiError."""
        book = self._books.setdefault(uid, _Book())
        owner = InventoryOwner(name=application, uid=uid)
        async with book.turn:
            wanted = {**book.entries, **entries}
            kept = {ref: entry for ref, entry in wanted.items() if entry is not None}
            count = max(book.count, shards_for(len(kept)), 1)
            targets: dict[int, dict[ObjectRef, Entry]] = defaultdict(dict)
            for ref, entry in kept.items():
                targets[shard_of(ref, shards=count)][ref] = entry
            stale = [
                number
                for number in range(count)
                if number not in book.shards
                or book.shards[number].shards != count
                or book.shards[number].entries != targets[number]
            ]
            # New shards first: while an inventory is being cut anew, its entries are in both places.
            for number in sorted(stale, reverse=True):
                await self._write(namespace, owner, book, number, count, targets[number])

    async def release(self, namespace: str, application: str, uid: str) -> None:
        """Delete all shards, our finalizer included. Raises ApiError."""
        for body in await self._objects.list(RESOURCE, namespace, selector=f"{OWNER_LABEL}={uid}"):
            ref = ObjectRef.of(body)
            try:
                await self._objects.merge(ref, RESOURCE.version, {"metadata": {"finalizers": _others(body)}})
                await self._objects.delete(ref, RESOURCE.version, uid=body["metadata"]["uid"])
            except ApiError as error:
                if not error.not_found:
                    raise
        self._books.pop(uid, None)

    async def _write(
        self,
        namespace: str,
        owner: InventoryOwner,
        book: _Book,
        number: int,
        count: int,
        entries: dict[ObjectRef, Entry],
    ) -> None:
        spec = InventorySpec.of(owner, entries, shard=number, shards=count)
        for attempt in range(_ATTEMPTS):
            try:
                version = await self._send(namespace, owner, book.shards.get(number), spec)
                book.shards[number] = _Shard(version, count, entries)
                return
            except ApiError as error:
                if attempt == _ATTEMPTS - 1 or not (error.conflict or error.not_found):
                    raise
                await self._reread(namespace, owner, book, number)

    async def _send(self, namespace: str, owner: InventoryOwner, known: _Shard | None, spec: InventorySpec) -> str:
        name = shard_name(owner, spec.shard)
        content = spec.to_body()
        if known is None:
            metadata: dict[str, Any] = {
                "name": name,
                "namespace": namespace,
                "labels": {OWNER_LABEL: owner.uid},
                "finalizers": [FINALIZER],
            }
            body = {"apiVersion": RESOURCE.api_version, "kind": RESOURCE.kind, "metadata": metadata, "spec": content}
            answer = await self._objects.create(body)
        else:
            patch = {"metadata": {"resourceVersion": known.resource_version}, "spec": content}
            ref = ObjectRef(LOCAL_CLUSTER, RESOURCE.group, RESOURCE.kind, namespace, name)
            answer = await self._objects.merge(ref, RESOURCE.version, patch)
        return str(answer["metadata"]["resourceVersion"])

    async def _reread(self, namespace: str, owner: InventoryOwner, book: _Book, number: int) -> None:
        """Somebody touched the shard: take its version, but not its content, which is ours alone to know."""
        listed = await self._objects.list(RESOURCE, namespace, selector=f"{OWNER_LABEL}={owner.uid}")
        found = next((body for body in listed if body["metadata"]["name"] == shard_name(owner, number)), None)
        if found is None:
            book.shards.pop(number, None)
            return
        known = book.shards.get(number) or _Shard("", found["spec"]["shards"], {})
        known.resource_version = found["metadata"]["resourceVersion"]
        book.shards[number] = known


def shard_name(owner: InventoryOwner, number: int) -> str:
    """The object's name: the Application's (cut to fit), a digest of its UID, the shard's number."""
    digest = sha256(owner.uid.encode()).hexdigest()[:8]
    return f"{owner.name[:200].rstrip('.-')}-{digest}-{number}"


def _others(body: dict[str, Any]) -> list[str]:
    return [each for each in body["metadata"].get("finalizers") or [] if each != FINALIZER]
