"""How inventories are cut into shards and joined again: no entry is ever lost, whatever the cut."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.inventory import SHARD_ENTRIES, Applied, Entry, Intended, shard_of, shards_for, split, union
from trimtab.core.refs import ObjectRef

words = st.sampled_from(["", "a", "b", "web", "shop", "apps"])
refs = st.builds(ObjectRef, st.just("local"), words, words, words, st.integers(0, 999).map(str))
intended = st.builds(Intended, words)
applied = st.builds(Applied, words, words, words, words)
inventories = st.dictionaries(refs, intended | applied, max_size=25)
shard_counts = st.sampled_from([1, 2, 4, 8, 64])


@given(inventories, shard_counts)
def test_the_union_of_the_shards_is_the_whole(entries, shards):
    parts = split(entries, shards=shards)
    assert len(parts) == shards
    assert union(parts) == entries
    assert sum(map(len, parts)) == len(entries)


@given(refs, shard_counts)
def test_every_entry_has_one_shard_and_growth_moves_it_once_at_most(ref, shards):
    shard = shard_of(ref, shards=shards)
    assert 0 <= shard < shards
    assert shard_of(ref, shards=shards) == shard
    assert shard_of(ref, shards=shards * 2) in (shard, shard + shards)


@given(inventories, inventories, shard_counts, shard_counts)
def test_in_the_middle_of_a_split_nothing_is_lost(before, after, few, many):
    """Entries are added to their new shard before they leave the old: readers may find both."""
    joined = union([*split(before, shards=few), *split(after, shards=many)])
    assert joined.keys() == before.keys() | after.keys()
    for ref, entry in joined.items():
        said: list[Entry | None] = [before.get(ref), after.get(ref)]
        assert entry in said
        assert isinstance(entry, Applied) == any(isinstance(each, Applied) for each in said)


def test_an_applied_entry_outweighs_an_intended_one_in_either_order():
    ref = ObjectRef("local", "", "ConfigMap", "shop", "a")
    done = Applied("v1", "u-1", "b1:x", "d1:y")
    assert union([{ref: done}, {ref: Intended("v1")}]) == {ref: done}
    assert union([{ref: Intended("v1")}, {ref: done}]) == {ref: done}


@given(st.integers(0, 300_000))
def test_shards_are_as_many_as_needed_and_a_power_of_two(entries):
    shards = shards_for(entries)
    assert shards & (shards - 1) == 0
    assert entries <= shards * SHARD_ENTRIES
    assert shards == 1 or entries > shards // 2 * SHARD_ENTRIES


def test_shards_never_move_between_releases():
    """A pinned value: another hash would make every stored inventory look lost."""
    ref = ObjectRef("local", "apps", "Deployment", "shop", "web")
    assert [shard_of(ref, shards=count) for count in (1, 2, 4, 256)] == [0, 1, 1, 17]
