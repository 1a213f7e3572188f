from dataclasses import replace
from typing import Any

import pytest

from trimtab.adapters.store.seal import Sealer
from trimtab.adapters.store.shards import Shard, complete, others, read_shard, shard_body, shard_name, shard_spec
from trimtab.api.inventory import InventoryOwner
from trimtab.core.inventory import Applied, Entry, Intended
from trimtab.core.names import FINALIZER
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef

OWNER = InventoryOwner(name="shop", uid="uid-1")
SEALER = Sealer(b"k" * 32, OWNER.uid)


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


def stored(entries: dict[ObjectRef, Entry], *, shard: int = 0, shards: int = 1) -> dict:
    spec = shard_spec(OWNER, entries, SEALER, shard=shard, shards=shards)
    body = shard_body(OWNER, "trimtab-system", "shop-0", spec)
    body["metadata"] |= {"uid": "u1", "resourceVersion": "7"}
    return body


def test_an_applied_entry_counts_only_under_its_own_seal() -> None:
    ref = ObjectRef(LOCAL_CLUSTER, "apps", "Deployment", "shop", "web")
    entry = Applied("v1", "u", "b", "d")
    forged: list[dict[str, Any]] = [
        {"uid": "that-of-another-object"},
        {"key": "local||Secret|kube-system|token"},
        {"baseline": "x"},
        {"declared": "x"},
        {"version": "v2"},
        {"seal": None},
        {"seal": "0" * 32},
    ]
    for change in forged:
        body = stored({ref: entry})
        body["spec"]["entries"][0] |= change
        (read,) = read_shard(body, SEALER).entries.values()
        assert read == Intended(change.get("version", "v1")), change
    for stranger in (replace(SEALER, uid="uid-2"), replace(SEALER, key=b"x" * 32)):
        assert read_shard(stored({ref: entry}), stranger).entries == {ref: Intended("v1")}


@pytest.mark.parametrize("name", ["..", ".", "web/status", "../../../api", "a%2fb", "a?b", "a b", ""])
def test_a_key_that_is_another_path_makes_the_shard_unreadable(name: str) -> None:
    body = stored({})
    body["spec"]["entries"] = [{"key": f"local||Pod|kube-system|{name}", "version": "v1", "state": "Intended"}]

    assert not read_shard(body, SEALER).readable


def test_a_count_of_shards_that_nobody_wrote_asks_for_no_memory() -> None:
    body = stored({})
    body["spec"]["shards"] = 10**9

    read = read_shard(body, SEALER)

    assert read.shards == 1024
    assert not read.readable


def test_a_shard_is_read_as_it_was_written() -> None:
    entries: dict[ObjectRef, Entry] = {
        ObjectRef(LOCAL_CLUSTER, "apps", "Deployment", "shop", "web"): Applied("v1", "u", "b", "d"),
        ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", "shop"): Intended("v1"),
    }
    body = stored(entries, shard=1, shards=2)

    read = read_shard(body, SEALER)

    assert read == Shard("shop-0", 1, 2, entries, "u1", "7", [FINALIZER], terminating=False)
    assert read.sound


@pytest.mark.parametrize("spec", [None, {}, {"shard": 3, "shards": 4, "entries": [{"key": "no-key"}]}])
def test_what_cannot_be_read_says_so(spec: dict | None) -> None:
    read = read_shard({"metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": spec}, SEALER)

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
