"""Finds the programs of the control plane, each by itself, and fetches those that are missing.

In: names from the registry and where to look; out: their paths. Order: the folders that the environment names, the
user's cache, then a download or a build. `cluster` calls it before a start, the CLI and tests for kubectl and its like.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from trimtab.localcluster import supply
from trimtab.localcluster.cache import BinaryCache, default_root
from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.progress import Progress, Silent
from trimtab.localcluster.registry import ASSETS, Asset, Platform
from trimtab.localcluster.version_check import mismatch

FOLDER_VARIABLES: Final = ("TRIMTAB_CLUSTER_ASSETS", "KUBEBUILDER_ASSETS")
SOURCE_VARIABLE: Final = "TRIMTAB_CLUSTER_SOURCE"


class Place(StrEnum):
    """Where an asset was found."""

    FOLDER = "folder"
    CACHE = "cache"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look for one asset gave: its path unless it is missing, and what was passed over and why."""

    asset: Asset
    place: Place
    path: Path | None = None
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finder:
    """Where to look: `folders` first, then `cache`; what is missing comes by way of `source`."""

    folders: tuple[Path, ...]
    cache: BinaryCache
    source: supply.Source

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Finder":
        """As TRIMTAB_CLUSTER_ASSETS, KUBEBUILDER_ASSETS, TRIMTAB_CLUSTER_SOURCE and XDG_CACHE_HOME say.

        Raises ClusterError where TRIMTAB_CLUSTER_SOURCE is none of download, build and auto.
        """
        environ = os.environ if environ is None else environ
        folders = tuple(Path(environ[name]) for name in FOLDER_VARIABLES if environ.get(name))
        wanted = environ.get(SOURCE_VARIABLE) or supply.Source.AUTO
        try:
            source = supply.Source(wanted)
        except ValueError as error:
            choices = ", ".join(supply.Source)
            raise ClusterError(f"{SOURCE_VARIABLE} is {wanted!r}", remedy=f"set it to one of {choices}") from error
        return cls(folders, BinaryCache(default_root(environ), Platform.current()), source)

    def look(self, name: str) -> Found:
        """Look for one asset without fetching it."""
        asset = ASSETS[name]
        passed_over: list[str] = []
        for folder in self.folders:
            path = folder / asset.file_name
            if not path.is_file():
                continue
            if reason := mismatch(asset, path):
                passed_over.append(f"{path}: {reason}")
                continue
            return Found(asset, Place.FOLDER, path, tuple(passed_over))
        if cached := self.cache.find(asset):
            return Found(asset, Place.CACHE, cached, tuple(passed_over))
        return Found(asset, Place.MISSING, None, tuple(passed_over))

    def find(self, names: Iterable[str], *, progress: Progress | None = None) -> dict[str, Path]:
        """The path of each asset, in the order given; fetches what is missing, which may take ten minutes.

        Raises AssetMissing where neither way works, with what to install.
        """
        shown = progress or Silent()
        found = {name: self.look(name) for name in names}
        for entry in found.values():
            for note in entry.passed_over:
                shown.note(f"passed over {note}")
        missing = [entry.asset for entry in found.values() if entry.path is None]
        fetched = self._fetch(missing, shown) if missing else {}
        return {name: entry.path or fetched[name] for name, entry in found.items()}

    def _fetch(self, missing: list[Asset], progress: Progress) -> dict[str, Path]:
        paths: dict[str, Path] = {}
        with self.cache.lock():
            fetcher = supply.Supply(self.source, self.cache, progress)
            for asset in missing:
                # While this process waited for the lock, another may have fetched it.
                paths[asset.name] = self.cache.find(asset) or fetcher.fetch(asset)
        return paths
