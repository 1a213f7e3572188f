"""Each program is looked for by itself: named folders, then the cache, then a fetch; other versions are passed over."""

from pathlib import Path

import pytest

from trimtab.localcluster.assets import Finder, Place
from trimtab.localcluster.cache import BinaryCache
from trimtab.localcluster.errors import AssetMissing, ClusterError
from trimtab.localcluster.progress import Silent
from trimtab.localcluster.registry import ASSETS, Asset, Platform
from trimtab.localcluster.supply import Source, Supply

TARGET = Platform("linux", "amd64")


class Notes(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def finder(tmp_path: Path, *folders: Path, source: Source = Source.AUTO) -> Finder:
    return Finder(folders, BinaryCache(tmp_path / "cache", TARGET), source)


def test_a_named_folder_comes_first(tmp_path: Path) -> None:
    search = finder(tmp_path, tmp_path / "a", tmp_path / "b")
    second = program(tmp_path / "b", "etcd", "etcd Version: 3.6.8")
    assert search.look("etcd").path == second
    first = program(tmp_path / "a", "etcd", "etcd Version: 3.6.8")
    found = search.look("etcd")
    assert (found.place, found.path) == (Place.FOLDER, first)


def test_another_version_is_passed_over_and_said_so(tmp_path: Path) -> None:
    old = program(tmp_path / "a", "etcd", "etcd Version: 3.5.0")
    broken = tmp_path / "b" / "etcd"
    broken.parent.mkdir()
    broken.write_text("not a program")
    search = finder(tmp_path, tmp_path / "a", tmp_path / "b")
    cached = search.cache.install(ASSETS["etcd"], program(tmp_path, "built", "etcd Version: 3.6.8"), origin="build")
    notes = Notes()
    assert search.find(["etcd"], progress=notes) == {"etcd": cached}
    assert notes.said[0] == f"passed over {old}: is not v3.6.8 but says 'etcd Version: 3.5.0'"
    assert "cannot be run" in notes.said[1]


def test_only_what_is_missing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = finder(tmp_path, tmp_path / "a")
    etcd = program(tmp_path / "a", "etcd", "etcd Version: 3.6.8")
    fetched: list[str] = []

    def fetch(supply: Supply, asset: Asset) -> Path:
        fetched.append(asset.name)
        return Path(f"/fetched/{asset.name}")

    monkeypatch.setattr(Supply, "fetch", fetch)
    assert search.find(["etcd", "kwok", "helm"]) == {
        "etcd": etcd,
        "kwok": Path("/fetched/kwok"),
        "helm": Path("/fetched/helm"),
    }
    assert fetched == ["kwok", "helm"]


def test_what_another_process_fetched_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = finder(tmp_path)
    look = Finder.look

    def look_then_lose(self: Finder, name: str) -> object:
        found = look(self, name)
        search.cache.install(ASSETS[name], program(tmp_path, "built", "kwok version v0.8.0"), origin="build")
        return found

    monkeypatch.setattr(Finder, "look", look_then_lose)
    assert search.find(["kwok"])["kwok"].is_relative_to(search.cache.folder)


def test_data_files_are_taken_without_a_question(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    stages = tmp_path / "a" / "kwok-stages.yaml"
    stages.write_text("kind: Stage\n")
    assert finder(tmp_path, tmp_path / "a").look("kwok-stages").path == stages


def test_the_environment_names_folders_cache_and_source(tmp_path: Path) -> None:
    environ = {
        "TRIMTAB_CLUSTER_ASSETS": "/one",
        "KUBEBUILDER_ASSETS": "/two",
        "TRIMTAB_CLUSTER_SOURCE": "build",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    search = Finder.from_environment(environ)
    assert search.folders == (Path("/one"), Path("/two"))
    assert search.source is Source.BUILD
    assert search.cache.root == tmp_path / "trimtab"
    assert Finder.from_environment({}).source is Source.AUTO


def test_an_unknown_source_is_refused_with_the_choices() -> None:
    with pytest.raises(ClusterError, match=r"TRIMTAB_CLUSTER_SOURCE is 'mail'.*download, build, auto"):
        Finder.from_environment({"TRIMTAB_CLUSTER_SOURCE": "mail"})


@pytest.mark.parametrize("source", list(Source))
def test_a_failure_says_what_was_tried_and_what_to_install(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(word: str) -> object:
        def refuse(*_: object) -> Path:
            raise ClusterError(f"{word} failed")

        return refuse

    monkeypatch.setattr("trimtab.localcluster.supply.toolchain.find", fail("build"))
    monkeypatch.setattr("trimtab.localcluster.download.Downloader.fetch", fail("download"))
    with pytest.raises(AssetMissing) as missing:
        finder(tmp_path, source=source).find(["etcd"])
    message = str(missing.value)
    assert message.startswith("etcd v3.6.8 is missing")
    assert ("download failed" in message) is (source is not Source.BUILD)
    assert ("build failed" in message) is (source is not Source.DOWNLOAD)
    assert ("install Go 1.26.0 or newer" in message) is (source is not Source.DOWNLOAD)
    assert "TRIMTAB_CLUSTER_ASSETS" in message
