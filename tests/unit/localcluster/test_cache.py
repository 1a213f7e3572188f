"""The cache hands out what was installed, and nothing that has changed since."""

import json
import os
from pathlib import Path

import pytest

from trimtab.localcluster.cache import BinaryCache, default_root, sha256_of
from trimtab.localcluster.registry import ASSETS, Platform

KWOK = ASSETS["kwok"]


@pytest.fixture
def cache(tmp_path: Path) -> BinaryCache:
    return BinaryCache(tmp_path / "cache", Platform("linux", "amd64"))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    path = tmp_path / "built"
    path.write_text("program")
    return path


def test_what_is_installed_is_found(cache: BinaryCache, built: Path) -> None:
    assert cache.find(KWOK) is None
    assert cache.origin(KWOK) == ""
    path = cache.install(KWOK, built, origin="build, Go 1.26.0")
    assert path == cache.root / "binaries/linux-amd64/kwok-v0.8.0/kwok"
    assert cache.find(KWOK) == path
    assert path.stat().st_mode & 0o777 == 0o755
    assert cache.origin(KWOK) == "build, Go 1.26.0"
    assert json.loads((path.parent / "record.json").read_text())["sha256"] == sha256_of(built)


def test_a_changed_file_is_not_used_and_can_be_replaced(cache: BinaryCache, built: Path) -> None:
    path = cache.install(KWOK, built, origin="download")
    assert cache.find(KWOK)
    path.write_text("PROGRAM")
    os.utime(path, ns=(1, 1))
    assert cache.find(KWOK) is None
    cache.install(KWOK, built, origin="download")
    assert cache.find(KWOK) == path
    assert [entry.name for entry in cache.folder.iterdir()] == ["kwok-v0.8.0"]


def test_a_file_is_hashed_once_until_it_looks_different(
    cache: BinaryCache, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = cache.install(KWOK, built, origin="build")
    hashed: list[Path] = []

    def counting(target: Path) -> str:
        hashed.append(target)
        return sha256_of(target)

    monkeypatch.setattr("trimtab.localcluster.cache.sha256_of", counting)
    for _ in range(3):
        assert cache.find(KWOK) == path
    assert len(hashed) == 1
    os.utime(path, ns=(5, 5))
    assert cache.find(KWOK) == path
    assert len(hashed) == 2


@pytest.mark.parametrize("record", ["", "[]", "{}", "not json"])
def test_a_file_without_a_record_is_not_used(cache: BinaryCache, built: Path, record: str) -> None:
    path = cache.install(KWOK, built, origin="build")
    (path.parent / "record.json").write_text(record)
    assert cache.find(KWOK) is None


def test_a_cache_that_cannot_be_written_still_serves(
    cache: BinaryCache, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = cache.install(KWOK, built, origin="build")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refuse)
    assert cache.find(KWOK) == path


def test_the_lock_is_let_go(cache: BinaryCache) -> None:
    with cache.lock():
        assert (cache.folder / ".lock").exists()
    with cache.lock():
        pass


def test_the_user_says_where_caches_are(tmp_path: Path) -> None:
    assert default_root({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "trimtab"
    assert default_root({}).name == "trimtab"
