"""Inventory: one shard of what an Application owns, written before anything is applied.

The inventory store turns it into `core.inventory` entries and back; users only read it.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field

from trimtab.api.model import ApiModel, Count, Resource
from trimtab.core.inventory import Applied, Entry, Intended
from trimtab.core.names import API_GROUP, API_VERSION
from trimtab.core.refs import ObjectRef, ResourceType

RESOURCE: Final = ResourceType(API_GROUP, API_VERSION, "Inventory", "inventories", namespaced=True)


MAX_SHARDS: Final = 1024
"""A million objects; what claims more was not written by Trimtab."""

_UNSAFE: Final = re.compile(r"[/%?#\\\x00-\x20\x7f]|^\.{1,2}$")


class EntryState(StrEnum):
    """Whether an object is about to be applied or has been."""

    INTENDED = "Intended"
    APPLIED = "Applied"


class InventoryEntry(ApiModel):
    """One object of the Application."""

    key: Annotated[str, Field(min_length=5, max_length=1024)]
    """The object: cluster|group|kind|namespace|name."""
    version: Annotated[str, Field(min_length=1, max_length=63)]
    """API version it was applied in."""
    state: EntryState
    """Intended before the first apply, Applied after it."""
    uid: str | None = None
    """UID of the object, once it is Applied."""
    baseline: str | None = None
    """Keyed digest of what we own in the object."""
    declared: str | None = None
    """Keyed digest of the manifest that was applied."""
    seal: str | None = None
    """Proves that Trimtab wrote the entry; one without its seal is looked at anew before anything is done by it."""

    @classmethod
    def of(cls, ref: ObjectRef, entry: Entry, *, seal: str | None = None) -> Self:
        """The stored form of an entry."""
        if isinstance(entry, Intended):
            return cls(key=ref.key, version=entry.version, state=EntryState.INTENDED)
        return cls(
            key=ref.key,
            version=entry.version,
            state=EntryState.APPLIED,
            uid=entry.uid,
            baseline=entry.baseline,
            declared=entry.declared,
            seal=seal,
        )

    @property
    def ref(self) -> ObjectRef:
        """The object. Raises ValueError where the key is none, or would be another path at the API server."""
        ref = ObjectRef.from_key(self.key)
        if not ref.name or any(_UNSAFE.search(part) for part in (ref.group, ref.kind, ref.namespace, ref.name)):
            raise ValueError("the key names no object")
        return ref

    @property
    def entry(self) -> Entry:
        """The entry as the stages use it."""
        if self.state is EntryState.INTENDED:
            return Intended(self.version)
        return Applied(self.version, self.uid or "", self.baseline or "", self.declared or "")


class InventoryOwner(ApiModel):
    """The Application of this namespace that owns the objects."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Its name."""
    uid: Annotated[str, Field(min_length=1, max_length=64)]
    """Its UID."""


class InventorySpec(ApiModel):
    """Which shard of whose inventory, and its entries."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {"rule": "self.shard < self.shards", "message": "shard counts from 0 to shards - 1"},
                {
                    "rule": "self.application == oldSelf.application && self.shard == oldSelf.shard",
                    "message": "application and shard never change",
                },
            ]
        }
    )

    application: InventoryOwner
    """Whose inventory this is."""
    shard: Count
    """Number of this shard, from 0."""
    shards: Annotated[int, Field(ge=1, le=MAX_SHARDS)]
    """How many shards the inventory is cut into."""
    entries: Annotated[tuple[InventoryEntry, ...], Field(json_schema_extra={"x-kubernetes-list-type": "atomic"})] = ()
    """The objects of this shard."""

    @classmethod
    def of(
        cls,
        owner: InventoryOwner,
        entries: Mapping[ObjectRef, Entry],
        *,
        shard: int,
        shards: int,
        seal: Callable[[ObjectRef, Applied], str],
    ) -> Self:
        """A shard with its entries in a stable order; `seal` makes the seal of each Applied one."""
        listed = tuple(
            InventoryEntry.of(ref, entry, seal=seal(ref, entry) if isinstance(entry, Applied) else None)
            for ref, entry in sorted(entries.items(), key=lambda item: item[0])
        )
        return cls(application=owner, shard=shard, shards=shards, entries=listed)

    def to_entries(self) -> dict[ObjectRef, Entry]:
        """The entries as the stages use them, whoever wrote them. Raises ValueError where a key is none."""
        return {item.ref: item.entry for item in self.entries}


class Inventory(Resource):
    """What an Application owns; written by Trimtab before it applies, so that nothing is ever orphaned."""

    spec: InventorySpec
