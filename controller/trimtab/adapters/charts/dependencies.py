"""Charts that other charts depend on, one by one, from web servers and registries.

A `ChartOrder` flows in, the tree of the chart flows out; the desk of charts calls it. Indexes are asked for once in a
while, however many charts come from them.
"""

import time
from dataclasses import dataclass, field

from trimtab.adapters.charts.repositories import HttpChartRepositories
from trimtab.adapters.oci.sources import OciSources
from trimtab.api.oci_repository import LayerSelector, OciRef, OciRepositorySpec, OciVerify
from trimtab.core.errors import SourceError
from trimtab.reconcile.ports.downloads import Access, ChartOrder, FetchedIndex
from trimtab.reconcile.ports.rendering import SourceTree
from trimtab.source.oci_manifest import CHART_LAYER
from trimtab.source.trusted_keys import trusted_keys
from trimtab.source.versions import Version

INDEX_SECONDS = 300.0
MAX_KEPT_VERSIONS = 100_000
MAX_KEPT_INDEXES = 100


@dataclass(slots=True)
class ChartStore:
    """One per process. What was fetched once is taken from the artifact store."""

    repositories: HttpChartRepositories
    registries: OciSources
    _indexes: dict[tuple[str, Access], tuple[float, FetchedIndex]] = field(default_factory=dict)

    async def fetch(self, order: ChartOrder) -> SourceTree:
        """See the port. Raises SourceError."""
        if order.repository.startswith("oci://"):
            return await self._from_registry(order)
        known = self._known_index(order)
        found = known or await self._index(order)
        try:
            return await self._chart(found, order)
        except SourceError as error:
            if known is None or error.reason != "ChartNotFound":
                raise
        # A lock may name what was published a moment ago.
        return await self._chart(await self._index(order), order)

    async def _chart(self, found: FetchedIndex, order: ChartOrder) -> SourceTree:
        chart = await self.repositories.chart(
            found,
            order.access,
            name=order.name,
            version=order.version,
            timeout_seconds=order.timeout_seconds,
            keys=trusted_keys(dict(order.keys)) if order.verify else None,
        )
        return chart.tree

    def _known_index(self, order: ChartOrder) -> FetchedIndex | None:
        asked_at, known = self._indexes.get((order.repository, order.access), (0.0, None))
        return known if time.monotonic() - asked_at < INDEX_SECONDS else None

    async def _index(self, order: ChartOrder) -> FetchedIndex:
        place = (order.repository, order.access)
        _, known = self._indexes.get(place, (0.0, None))
        found = await self.repositories.index(
            order.repository, order.access, known, timeout_seconds=order.timeout_seconds
        )
        self._keep(place, found)
        return found

    def _keep(self, place: tuple[str, Access], found: FetchedIndex) -> None:
        """Keep an index in place of those asked for longest ago, where there is no room for all."""
        self._indexes.pop(place, None)
        self._indexes[place] = (time.monotonic(), found)
        sizes = {each: index.index.size for each, (_, index) in self._indexes.items()}
        for each in [*self._indexes][:-1]:
            if len(sizes) <= MAX_KEPT_INDEXES and sum(sizes.values()) <= MAX_KEPT_VERSIONS:
                return
            del self._indexes[each], sizes[each]

    async def _from_registry(self, order: ChartOrder) -> SourceTree:
        try:
            # Registries take no + in tags, so that Helm writes _ for it.
            ref = OciRef(tag=Version.parse(order.version).original.replace("+", "_"))
        except ValueError:
            ref = OciRef(semver=order.version)
        spec = OciRepositorySpec(
            url=f"{order.repository.rstrip('/')}/{order.name}",
            ref=ref,
            layer_selector=LayerSelector(media_type=CHART_LAYER),
            timeout_seconds=order.timeout_seconds,
            insecure=order.insecure,
            verify=order.verify if isinstance(order.verify, OciVerify) else None,
        )
        return (await self.registries.fetch(spec, order.access, dict(order.keys), None)).tree
