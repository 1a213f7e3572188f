"""Artifacts of sources that are no Git repositories, fetched by this process for `diff` and its like.

A session flows in, artifacts flow out; what was downloaded is gone when the session's work ends.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from trimtab.adapters.artifacts.store import ArtifactStore
from trimtab.adapters.charts.dependencies import ChartStore
from trimtab.adapters.charts.repositories import HttpChartRepositories
from trimtab.adapters.clock.system import SystemClock
from trimtab.adapters.http.loop_thread import LoopThread
from trimtab.adapters.http.pinning import no_link_local
from trimtab.adapters.oci.sources import OciSources
from trimtab.adapters.process.signatures import ProcessVerifier
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.oci_repository import OciRepository
from trimtab.cli.resources import HELM_REPOSITORY as HELM
from trimtab.cli.resources import OCI_REPOSITORY as OCI
from trimtab.cli.resources import SOURCES, Named, as_source, read, read_all
from trimtab.cli.session import Session
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.chart_desk import ChartDesk
from trimtab.reconcile.chart_sources import ChartSources
from trimtab.reconcile.fetch_meter import FetchMeter
from trimtab.reconcile.origins.helm import HelmOrigin
from trimtab.reconcile.origins.oci import OciOrigin
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import ReferredSecrets
from trimtab.source.addresses import NamespaceAddresses


@dataclass(frozen=True, slots=True)
class Downloads:
    """Open for as long as the session's work goes on."""

    session: Session
    charts: HttpChartRepositories
    registries: OciSources

    async def chart_desk(self) -> ChartDesk:
        """What charts depend on, by the sources that are declared now. Raises UsageError, ApiError."""
        namespace = self.session.namespace
        found = [
            source
            for kind in (HELM, OCI)
            for body in await read_all(self.session, kind, namespace)
            if isinstance(source := as_source(body), OciRepository | HelmRepository)
        ]
        accesses = Accesses(ReferredSecrets(self.session.objects))
        store = ChartStore(self.charts, self.registries)
        return ChartDesk(ChartSources(lambda _: found, accesses), store, store)

    async def artifact(self, key: Key) -> Artifact:
        """What stands in an OCIRepository or HelmRepository now. Raises UsageError, SourceError."""
        kind = next(kind for kind in SOURCES if kind.kind == key.kind)
        source = as_source(await read(self.session, Named(kind, key.name)))
        accesses, clock = Accesses(ReferredSecrets(self.session.objects)), SystemClock()
        meter = FetchMeter(clock)
        if isinstance(source, HelmRepository):
            charts = HelmOrigin(charts=self.charts, accesses=accesses, meter=meter, clock=clock)
            return await charts.fetch(key, source, None)
        assert isinstance(source, OciRepository), "Git repositories have a way of their own"
        addresses = NamespaceAddresses(key.namespace)
        artifacts = OciOrigin(
            registries=self.registries, accesses=accesses, meter=meter, clock=clock, addresses=addresses
        )
        return await artifacts.fetch(key, source, None)


@asynccontextmanager
async def open_downloads(session: Session) -> AsyncIterator[Downloads]:
    """Registries and chart repositories over a store of this process alone."""
    with TemporaryDirectory(prefix="trimtab-cli-") as folder:
        store = ArtifactStore(Path(folder))
        await asyncio.to_thread(store.open)
        thread = LoopThread()
        try:
            verifier = ProcessVerifier()
            charts = HttpChartRepositories(thread, store, no_link_local, verifier)
            yield Downloads(session, charts, OciSources(thread, store, no_link_local, verifier))
        finally:
            await thread.close()
