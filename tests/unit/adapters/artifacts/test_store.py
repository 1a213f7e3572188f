"""The folder of unpacked artifacts."""

import gc
import os
from pathlib import Path

import pytest

from trimtab.adapters.artifacts.store import ArtifactStore, artifact_key
from trimtab.core.errors import SourceError
from trimtab.source.tree_budget import TreeBudget

A, B, C = (artifact_key(name) for name in "abc")


def fill(size: int):
    def write(folder: Path) -> dict[str, str]:
        (folder / "file").write_bytes(b"x" * size)
        return {"file": f"digest-{size}"}

    return write


@pytest.fixture
def store(tmp_path):
    made = ArtifactStore(tmp_path / "artifacts", size_bytes=10_000)
    made.open()
    return made


def there(store):
    return {path.name for path in store.room().iterdir()}


def test_what_was_put_is_found_by_another_process(store, tmp_path):
    store.put(A, fill(10), identity="id", revision="1", notes={"a": "b"})
    other = ArtifactStore(tmp_path / "artifacts")
    other.open()
    found = other.find(A, identity="id")
    assert found is not None
    tree, notes = found
    assert (tree.root / "file").read_bytes() == b"x" * 10
    assert (tree.identity, tree.revision, notes) == ("id", "1", {"a": "b"})
    assert other.find(B, identity="id") is None


def test_what_fails_leaves_nothing(store):
    def fail(folder: Path) -> dict[str, str]:
        (folder / "half").write_text("x")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        store.put(A, fail, identity="", revision="")
    assert there(store) == set()


def test_what_a_killed_process_left_is_cleared_away(store, tmp_path):
    (store.room() / "partial-x").mkdir()
    ArtifactStore(tmp_path / "artifacts").open()
    assert there(store) == set()


def test_the_longest_unused_goes_first_and_what_is_held_stays(store):
    held = store.put(A, fill(4000), identity="", revision="")
    os.utime(store.room() / A, (1, 1))
    store.put(B, fill(4000), identity="", revision="")
    os.utime(store.room() / B, (2, 2))
    gc.collect()
    store.put(C, fill(4000), identity="", revision="")
    assert there(store) == {A, C}
    assert held.root.is_dir()
    del held
    gc.collect()
    store.put(B, fill(4000), identity="", revision="")
    assert B in there(store)
    assert A not in there(store)


def test_what_cannot_be_read_is_not_there(store):
    store.put(A, fill(1), identity="", revision="")
    (store.room() / A / "about.json").write_text("{")
    assert store.find(A, identity="") is None
    store.put(A, fill(2), identity="", revision="")
    assert store.find(A, identity="") is not None
    (store.room() / A / "about.json").write_text('{"format": 0}')
    assert store.find(A, identity="") is None


async def test_copies_are_counted_once_each(store, tmp_path):
    tree = store.put(A, fill(5000), identity="id", revision="1", notes={})
    budget = TreeBudget(10_000)
    for _ in range(2):
        await tree.materialise([""], tmp_path / "one", budget=budget)
    assert budget.spent_bytes == 8192
    with pytest.raises(SourceError) as caught:
        await tree.materialise([""], tmp_path / "two", budget=budget)
    assert caught.value.reason == "TooManyBytes"
    assert not (tmp_path / "two").exists()
