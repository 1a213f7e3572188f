"""The parse cache keeps what is used and stays within its size."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.process.parse_cache import ParseCache


def test_the_least_recently_used_goes_first():
    cache = ParseCache(20)
    cache.put(b"a", b"1" * 10)
    cache.put(b"b", b"2" * 10)
    assert cache.get(b"a") == b"1" * 10
    cache.put(b"c", b"3")
    assert (cache.get(b"a"), cache.get(b"b"), cache.get(b"c")) == (b"1" * 10, None, b"3")


def test_a_value_replaced_counts_once_and_one_too_large_is_not_kept():
    cache = ParseCache(10)
    cache.put(b"a", b"1" * 8)
    cache.put(b"a", b"2" * 6)
    cache.put(b"b", b"3" * 11)
    assert (cache.get(b"a"), cache.get(b"b"), cache.size_bytes) == (b"2" * 6, None, 6)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"d"]), st.binary(max_size=12))))
def test_the_size_is_the_sum_of_what_is_kept_and_within_the_limit(puts):
    cache = ParseCache(16)
    for key, value in puts:
        cache.put(key, value)
    kept = [cache.get(key) for key in (b"a", b"b", b"c", b"d")]
    assert cache.size_bytes == sum(len(value) for value in kept if value) <= 16
