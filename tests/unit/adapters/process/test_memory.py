"""Free memory goes back to the system."""

import sys
from pathlib import Path

import pytest

from trimtab.adapters.process.memory import give_back

MIB = 2**20


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")
def test_pages_between_what_is_kept_are_given_back():
    # Small enough to come from the heap, with survivors in between that keep it from shrinking by itself.
    blocks = [bytearray(3000) for _ in range(20_000)]
    kept = blocks[::20]
    del blocks
    before = resident_bytes()
    give_back()
    assert before - resident_bytes() > 20 * MIB
    assert len(kept) == 1000
