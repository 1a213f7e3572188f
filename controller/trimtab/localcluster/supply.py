"""Brings a missing program into the cache: by download, by build, or by whichever works.

`assets` calls it with the cache locked; `download` and `gobuild` do the work.
"""

import os
import tempfile
from enum import StrEnum
from pathlib import Path

from trimtab.localcluster import gobuild, toolchain
from trimtab.localcluster.cache import BinaryCache
from trimtab.localcluster.download import Downloader
from trimtab.localcluster.errors import AssetMissing, ClusterError
from trimtab.localcluster.progress import Progress
from trimtab.localcluster.registry import Asset
from trimtab.localcluster.version_check import mismatch


class Source(StrEnum):
    """How programs are had that nobody has put in place."""

    DOWNLOAD = "download"
    BUILD = "build"
    AUTO = "auto"
    """Download, and build what cannot be downloaded."""


class Supply:
    """Fetches assets one after the other and keeps what it learns on the way (toolchain, dead hosts)."""

    def __init__(self, source: Source, cache: BinaryCache, progress: Progress) -> None:
        self._source = source
        self._cache = cache
        self._progress = progress
        self._downloader = Downloader(cache.target)
        self._go: toolchain.Go | None = None

    def fetch(self, asset: Asset) -> Path:
        """Fetch one asset and return its place in the cache; raises AssetMissing with every way's reason."""
        ways = {Source.DOWNLOAD: self._download, Source.BUILD: self._build}
        chosen = list(ways.values()) if self._source is Source.AUTO else [ways[self._source]]
        reasons: list[str] = []
        for way in chosen:
            # In the cache's folder, so that what is installed has only to be copied on one disk.
            with tempfile.TemporaryDirectory(dir=self._cache.folder, prefix=".fetch-") as workspace:
                try:
                    return way(asset, Path(workspace))
                except ClusterError as error:
                    reasons.append(str(error))
                    self._progress.note(f"{asset.name}: {error}")
        raise AssetMissing(
            f"{asset.name} {asset.version} is missing: {'; '.join(reasons)}",
            remedy=_remedy(self._source),
        )

    def _download(self, asset: Asset, workspace: Path) -> Path:
        with self._progress.step(f"downloading {asset.name} {asset.version}") as step:
            return self._install(asset, self._downloader.fetch(asset, workspace, step), origin="download")

    def _build(self, asset: Asset, workspace: Path) -> Path:
        self._go = self._go or toolchain.find(os.environ, self._cache.root, self._progress)
        with self._progress.step(f"building {asset.name} {asset.version} with {self._go}") as step:
            return self._install(asset, gobuild.build(asset, self._go, workspace, step), origin=f"build, {self._go}")

    def _install(self, asset: Asset, path: Path, *, origin: str) -> Path:
        path.chmod(0o755)
        if reason := mismatch(asset, path):
            raise ClusterError(f"what was fetched as {asset.name} {reason}")
        return self._cache.install(asset, path, origin=origin)


def _remedy(source: Source) -> str:
    minimum = ".".join(map(str, toolchain.required_version()))
    build = f"install Go {minimum} or newer, or pip with access to a Python package index"
    download = "give this machine access to dl.k8s.io, github.com and get.helm.sh"
    folder = "or put the program into a folder and name it in TRIMTAB_CLUSTER_ASSETS"
    ways = {Source.DOWNLOAD: download, Source.BUILD: build, Source.AUTO: f"{download}, or {build}"}
    return f"{ways[source]}, {folder}"
