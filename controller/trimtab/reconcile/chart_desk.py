"""Hands out what charts depend on: each placed with the repository declared for it, fetched beside the loop.

The renderer asks by the port `Charts`; whoever has no loop to go on with gives no `fetches` and waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.chart_sources import ChartSources, Placed
from trimtab.reconcile.desk import APPLICATION
from trimtab.reconcile.fetches import Fetches, StillFetching
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.ports.downloads import ChartDownloads, ChartWanted
from trimtab.reconcile.queue import Key
from trimtab.source.url import server_of

_REFUSED = "AuthenticationFailed"
MOST: Final = 50
"""Charts that one chart may depend on in repositories."""


@dataclass(slots=True)
class ChartDesk:
    """Implements `Charts`."""

    sources: ChartSources
    downloads: ChartDownloads
    """For repositories that somebody declared."""
    undeclared: ChartDownloads
    """For those that only the files of a source name: these may lead to fewer addresses."""
    fetches: Fetches | None = None

    async def get(
        self, namespace: str, application: str, wanted: Sequence[ChartWanted]
    ) -> Sequence[SourceTree | SourceError]:
        """See the port. Raises StillFetching."""
        asker = Key(APPLICATION, namespace, application)
        found: list[SourceTree | SourceError] = []
        missing: list[str] = []
        if len(wanted) > MOST:
            return [_too_many(len(wanted))] * len(wanted)
        for each in wanted:
            try:
                placed = await self.sources.place(namespace, each)
                if each.verified and placed.order.verify is None:
                    raise _unsigned()
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
        server = server_of(placed.order.repository)
        found: SourceTree | SourceError | None = self.fetches.ask(asker, placed.order, server, fetch)
        return found

    async def _fetch(self, placed: Placed) -> SourceTree:
        try:
            return await (self.downloads if placed.source else self.undeclared).fetch(placed.order)
        except SourceError as error:
            if placed.source is not None:
                # Another password, certificate or public key may have been put into a Secret meanwhile.
                self.sources.accesses.forget(placed.source)
            remedy = _remedy(placed)
            raise SourceError(
                *(replace(each, remedy=remedy) if each.reason == _REFUSED else each for each in error.problems)
            ) from error


def _too_many(count: int) -> SourceError:
    message = f"one of {count} dependencies in repositories, more than {MOST}"
    return SourceError(Problem(message, reason="TooManyCharts", remedy="put them into charts/, or depend on fewer"))


def _unsigned() -> SourceError:
    message = "the source is verified, and nothing says whose signature this chart must carry"
    remedy = "put it into charts/, or declare its repository with spec.verify in the Application's namespace"
    return SourceError(Problem(message, reason="VerificationFailed", remedy=remedy))


def _remedy(placed: Placed) -> str:
    """What to do where a server refused."""
    if placed.source is None:
        kind = "an OCIRepository" if placed.order.repository.startswith("oci://") else "a HelmRepository"
        return f"declare {kind} with this URL and a secretRef in the Application's namespace"
    source = f"{placed.source.kind} {placed.source.name}"
    if not placed.secret:
        return f"set spec.secretRef of {source}, which is declared for this URL"
    return f"check Secret {placed.secret} of {source}, which is declared for this URL"
