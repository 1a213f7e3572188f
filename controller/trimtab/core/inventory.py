"""What an Application owns: write-ahead entries, and their cut into shards that etcd can hold.

The apply stage adds and changes entries, prune removes them; adapters store them as Inventory objects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from trimtab.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Intended:
    """Written before the first apply: the object may or may not exist, and may or may not be ours."""

    version: str


@dataclass(frozen=True, slots=True)
class Applied:
    """Written after an apply.

    `baseline` is the keyed digest of what we own in the server's answer, `declared` the keyed digest of the normalised
    manifest that was applied: where both still match, there is nothing to do.
    """

    version: str
    uid: str
    baseline: str
    declared: str


Entry = Intended | Applied

SHARD_ENTRIES = 1000
"""Entries in a shard before the count of shards doubles: about 300 KiB of JSON, far below etcd's 1.5 MiB."""


def shard_of(ref: ObjectRef, *, shards: int) -> int:
    """The shard (0..shards-1) that holds an entry; stable over restarts and Python versions."""
    return int.from_bytes(sha256(ref.key.encode()).digest()[:8]) % shards


def shards_for(entries: int) -> int:
    """How many shards hold that many entries: a power of two, so that growth moves half of a shard only."""
    shards = 1
    while entries > shards * SHARD_ENTRIES:
        shards *= 2
    return shards


def split(entries: Mapping[ObjectRef, Entry], *, shards: int) -> list[dict[ObjectRef, Entry]]:
    """Cut entries into `shards` maps by `shard_of`."""
    parts: list[dict[ObjectRef, Entry]] = [{} for _ in range(shards)]
    for ref, entry in entries.items():
        parts[shard_of(ref, shards=shards)][ref] = entry
    return parts


def union(parts: Iterable[Mapping[ObjectRef, Entry]]) -> dict[ObjectRef, Entry]:
    """Join shards; an entry found twice (mid-split) counts as Applied where either says so."""
    joined: dict[ObjectRef, Entry] = {}
    for part in parts:
        for ref, entry in part.items():
            if ref not in joined or isinstance(entry, Applied):
                joined[ref] = entry
    return joined
