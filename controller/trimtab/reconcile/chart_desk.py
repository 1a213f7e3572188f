"""Hands out what charts depend on: each placed with the repository declared for it, fetched beside the loop.

The renderer asks by the port `Charts`; whoever has no loop to go on with gives no `fetches` and waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from trimtab.core.errors import SourceError
from trimtab.reconcile.chart_fetches import ChartFetches, StillFetching
from trimtab.reconcile.chart_sources import ChartSources, Placed
from trimtab.reconcile.desk import APPLICATION
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.ports.downloads import ChartDownloads, ChartWanted
from trimtab.reconcile.queue import Key

_REFUSED = "AuthenticationFailed"


@dataclass(slots=True)
class ChartDesk:
    """Implements `Charts`."""

    sources: ChartSources
    downloads: ChartDownloads
    fetches: ChartFetches | None = None

    async def get(
        self, namespace: str, application: str, wanted: Sequence[ChartWanted]
    ) -> Sequence[SourceTree | SourceError]:
        """See the port. Raises StillFetching."""
        asker = Key(APPLICATION, namespace, application)
        found: list[SourceTree | SourceError] = []
        missing: list[str] = []
        for each in wanted:
            try:
                placed = await self.sources.place(namespace, each)
                there = await self._ask(asker, placed)
            except SourceError as error:
                there = error
            if there is None:
                missing.append(f"chart {each.name} {each.version}")
            else:
                found.append(there)
        if missing:
            raise StillFetching(", ".join(missing))
        return found

    async def _ask(self, asker: Key, placed: Placed) -> SourceTree | SourceError | None:
        fetch = partial(self._fetch, placed)
        if self.fetches is None:
            return await fetch()
        server = placed.order.repository.partition("://")[2].partition("/")[0]
        found: SourceTree | SourceError | None = self.fetches.ask(asker, placed.order, server, fetch)
        return found

    async def _fetch(self, placed: Placed) -> SourceTree:
        try:
            return await self.downloads.fetch(placed.order)
        except SourceError as error:
            if placed.source is not None:
                # Another password, certificate or public key may have been put into a Secret meanwhile.
                self.sources.accesses.forget(placed.source)
            remedy = _remedy(placed)
            raise SourceError(
                *(replace(each, remedy=remedy) if each.reason == _REFUSED else each for each in error.problems)
            ) from error


def _remedy(placed: Placed) -> str:
    """What to do where a server refused."""
    if placed.source is None:
        kind = "an OCIRepository" if placed.order.repository.startswith("oci://") else "a HelmRepository"
        return f"declare {kind} with this URL and a secretRef in the Application's namespace"
    source = f"{placed.source.kind} {placed.source.name}"
    if not placed.secret:
        return f"set spec.secretRef of {source}, which is declared for this URL"
    return f"check Secret {placed.secret} of {source}, which is declared for this URL"
