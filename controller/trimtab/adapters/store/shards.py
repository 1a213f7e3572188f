"""Shards of an inventory as objects, and what a set of them says together.

Inventory bodies flow in; `Shard`s, and whether they are all, flow out, and back into bodies. `inventory` uses it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from trimtab.adapters.store.seal import Sealer
from trimtab.api.inventory import MAX_SHARDS, RESOURCE, InventoryOwner, InventorySpec
from trimtab.api.model import ObjectMeta
from trimtab.core.inventory import Entry
from trimtab.core.names import API_GROUP, FINALIZER
from trimtab.core.refs import ObjectRef

OWNER_LABEL: Final = f"{API_GROUP}/inventory-of"
"""Carries the Application's UID, for listing; whose a shard is, its spec says."""


@dataclass(slots=True)
class Shard:
    """One Inventory object as it was last written or read."""

    name: str
    shard: int
    shards: int
    entries: dict[ObjectRef, Entry]
    uid: str
    resource_version: str
    finalizers: list[str]
    terminating: bool
    """Somebody deleted it; our finalizer keeps it, readable and writable, until another has taken its place."""
    readable: bool = True
    """Whether its content could be read; it counts as missing otherwise, and the next change writes over it."""

    @property
    def sound(self) -> bool:
        """Whether it may stay as it is."""
        return self.readable and not self.terminating


def read_shard(body: dict[str, Any], sealer: Sealer) -> Shard:
    """The shard that an Inventory object is, as far as it can be read (it may have been edited by hand)."""
    metadata, spec = ObjectMeta.model_validate(body["metadata"]), body.get("spec") or {}
    shard = Shard(
        name=metadata.name,
        shard=spec.get("shard") or 0,
        shards=min(spec.get("shards") or 1, MAX_SHARDS),
        entries={},
        uid=metadata.uid,
        resource_version=metadata.resource_version,
        finalizers=list(metadata.finalizers),
        terminating=metadata.deleting,
    )
    try:
        listed = InventorySpec.model_validate(spec).entries
        shard.entries = {item.ref: sealer.trusted(item.ref, item.entry, item.seal or "") for item in listed}
    except ValueError:
        shard.readable = False
    return shard


def others(finalizers: Iterable[str]) -> list[str]:
    """The finalizers that are not ours."""
    return [name for name in finalizers if name != FINALIZER]


def complete(shards: Iterable[Shard]) -> bool:
    """Whether these shards hold every entry there is.

    While an inventory grows from n to 2n shards, old ones count in n and new ones in 2n; an entry is in each shard
    whose number is its hash modulo that shard's count, so that each hash must find one.
    """
    shards = list(shards)
    if not all(item.readable for item in shards):
        return False
    found = {(item.shard, item.shards) for item in shards}
    counts = {count for _, count in found}
    return all(any((number % count, count) in found for count in counts) for number in range(max(counts, default=0)))


def shard_name(owner: InventoryOwner, shard: int, *, replaces: str = "") -> str:
    """The object's name: at most 253 characters, readable, and unique to the Application's UID.

    `replaces` is the UID of a shard of that number that is being deleted and still holds its name.
    """
    unique = sha256(owner.uid.encode()).hexdigest()[:10]
    suffix = f"-{sha256(replaces.encode()).hexdigest()[:6]}" if replaces else ""
    return f"{owner.name[:200].rstrip('.-')}-{unique}-{shard}{suffix}"


def shard_spec(
    owner: InventoryOwner, entries: Mapping[ObjectRef, Entry], sealer: Sealer, *, shard: int, shards: int
) -> dict[str, Any]:
    """The content of a shard."""
    return InventorySpec.of(owner, entries, shard=shard, shards=shards, seal=sealer.seal).to_body()


def shard_body(owner: InventoryOwner, namespace: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The object to create, with what `shard_spec` made."""
    return {
        "apiVersion": RESOURCE.api_version,
        "kind": RESOURCE.kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {OWNER_LABEL: owner.uid},
            "finalizers": [FINALIZER],
        },
        "spec": dict(spec),
    }
