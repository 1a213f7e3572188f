import pytest

from trimtab.adapters.store.shards import Shard, complete, others, read_shard, shard_body, shard_name
from trimtab.api.inventory import InventoryOwner
from trimtab.core.inventory import Applied, Entry, Intended
from trimtab.core.names import FINALIZER
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef

OWNER = InventoryOwner(name="shop", uid="uid-1")


def shard(number: int, count: int, *, readable: bool = True) -> Shard:
    return Shard(f"shop-{number}", number, count, {}, "uid", "1", [], terminating=False, readable=readable)


@pytest.mark.parametrize(
    ("found", "whole"),
    [
        ([], True),
        ([(0, 1)], True),
        ([(0, 2)], False),
        ([(1, 2)], False),
        ([(0, 2), (1, 2)], True),
        ([(0, 1), (1, 2)], True),  # growing: the old shard has not let go yet
        ([(0, 1), (2, 4)], True),
        ([(0, 2), (1, 2), (2, 4), (3, 4)], True),
        ([(0, 4), (1, 2), (2, 4), (3, 4)], True),
        ([(0, 4), (1, 2), (3, 4)], False),
        ([(0, 4), (1, 4), (2, 4)], False),
        ([(0, 4), (1, 4), (2, 4), (3, 4), (3, 4)], True),
    ],
)
def test_every_hash_must_find_a_shard(found: list[tuple[int, int]], whole: bool) -> None:
    assert complete(shard(number, count) for number, count in found) == whole


def test_an_unreadable_shard_counts_as_missing() -> None:
    assert not complete([shard(0, 2), shard(1, 2, readable=False)])


def test_a_shard_is_read_as_it_was_written() -> None:
    entries: dict[ObjectRef, Entry] = {
        ObjectRef(LOCAL_CLUSTER, "apps", "Deployment", "shop", "web"): Applied("v1", "u", "b", "d"),
        ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", "shop"): Intended("v1"),
    }
    body = shard_body(OWNER, "trimtab-system", "shop-0", entries, shard=1, shards=2)
    body["metadata"] |= {"uid": "u1", "resourceVersion": "7"}

    read = read_shard(body)

    assert read == Shard("shop-0", 1, 2, entries, "u1", "7", [FINALIZER], terminating=False)
    assert read.sound


@pytest.mark.parametrize("spec", [None, {}, {"shard": 3, "shards": 4, "entries": [{"key": "no-key"}]}])
def test_what_cannot_be_read_says_so(spec: dict | None) -> None:
    read = read_shard({"metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": spec})

    assert not read.readable
    assert read.terminating
    assert not read.sound
    assert read.shards in (1, 4)


def test_names_are_valid_and_their_own() -> None:
    long = InventoryOwner(name="a" * 199 + "." + "b" * 53, uid="uid-1")
    names = {
        shard_name(OWNER, 0),
        shard_name(OWNER, 1),
        shard_name(OWNER, 0, replaces="uid"),
        shard_name(InventoryOwner(name="shop", uid="uid-2"), 0),
        shard_name(long, 12345, replaces="uid"),
    }

    assert len(names) == 5
    assert all(len(name) <= 253 and ".-" not in name for name in names)


def test_finalizers_of_others_stay() -> None:
    assert others(["a", FINALIZER, "b"]) == ["a", "b"]
