"""Charts that other charts depend on, by what a Chart.lock says of them.

A repository's URL, a name, a version and maybe a digest flow in, the tree of the chart flows out; whoever renders
charts calls it. Indexes are asked for once in a while, however many charts come from them.
"""

import time
from dataclasses import dataclass, field

from trimtab.adapters.charts.repositories import HttpChartRepositories
from trimtab.adapters.oci.sources import OciSources
from trimtab.api.oci_repository import LayerSelector, OciRef, OciRepositorySpec
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports.downloads import NO_ACCESS, Access, FetchedIndex
from trimtab.reconcile.ports.rendering import SourceTree
from trimtab.source.oci_manifest import CHART_LAYER
from trimtab.source.versions import Version

INDEX_SECONDS = 300.0


@dataclass(slots=True)
class ChartStore:
    """One per process. What was fetched once is taken from the artifact store."""

    repositories: HttpChartRepositories
    registries: OciSources
    timeout_seconds: float = 60.0
    _indexes: dict[str, tuple[float, FetchedIndex]] = field(default_factory=dict)

    async def fetch(
        self, repository_url: str, name: str, version: str, digest: str = "", *, access: Access = NO_ACCESS
    ) -> SourceTree:
        """The chart's files. `digest`, if given, is that of its archive. Raises SourceError."""
        if repository_url.startswith("oci://"):
            return await self._from_registry(repository_url, name, version, access)
        found = await self._index(repository_url, access)
        chart = await self.repositories.chart(
            found, access, name=name, version=version, timeout_seconds=self.timeout_seconds
        )
        if digest and chart.digest != digest:
            message = f"chart {name} {chart.version} is not the one of digest {digest}"
            raise SourceError(Problem(message, reason="DigestMismatch", remedy="renew the lock", retry=True))
        return chart.tree

    async def _index(self, url: str, access: Access) -> FetchedIndex:
        asked_at, known = self._indexes.get(url, (0.0, None))
        now = time.monotonic()
        if known is not None and now - asked_at < INDEX_SECONDS:
            return known
        found = await self.repositories.index(url, access, known, timeout_seconds=self.timeout_seconds)
        self._indexes[url] = (now, found)
        return found

    async def _from_registry(self, url: str, name: str, version: str, access: Access) -> SourceTree:
        try:
            # Registries take no + in tags, so that Helm writes _ for it.
            ref = OciRef(tag=Version.parse(version).original.replace("+", "_"))
        except ValueError:
            ref = OciRef(semver=version)
        spec = OciRepositorySpec(
            url=f"{url.rstrip('/')}/{name}",
            ref=ref,
            layer_selector=LayerSelector(media_type=CHART_LAYER),
            timeout_seconds=self.timeout_seconds,
        )
        return (await self.registries.fetch(spec, access, {}, None)).tree
