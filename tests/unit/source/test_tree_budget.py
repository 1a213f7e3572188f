"""What a rendering may write is counted over all that writes for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.tree_budget import BLOCK_BYTES, TreeBudget, stored_bytes


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6)))
def test_never_more_is_spent_than_there_is(limit, sizes):
    budget, spent = TreeBudget(limit), 0
    for size in sizes:
        if spent + size > limit:
            with pytest.raises(SourceError, match=f"limit of {limit} bytes") as caught:
                budget.spend(size)
            assert caught.value.reason == "TooManyBytes"
        else:
            budget.spend(size)
            spent += size
        assert budget.spent_bytes == spent <= limit


@pytest.mark.parametrize(("size", "blocks"), [(0, 1), (1, 1), (BLOCK_BYTES, 1), (BLOCK_BYTES + 1, 2)])
def test_files_take_whole_blocks_and_empty_ones_take_one_too(size, blocks):
    assert stored_bytes(size) == blocks * BLOCK_BYTES
