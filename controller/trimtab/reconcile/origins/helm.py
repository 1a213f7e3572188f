"""HelmRepositories: the index of a chart repository; the charts are taken out of it by who needs them."""

from dataclasses import dataclass, field

from trimtab.api import helm_repository
from trimtab.api.fetched import FetchedStatus
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.model import Status
from trimtab.core.revision import Revision
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.fetch_meter import FetchMeter
from trimtab.reconcile.index_tree import IndexTree
from trimtab.reconcile.origins.downloaded import access_of, fetched_news, verify_files
from trimtab.reconcile.origins.origin import SourceNews
from trimtab.reconcile.ports import Clock
from trimtab.reconcile.ports.downloads import ChartRepositories, FetchedIndex
from trimtab.reconcile.queue import Key
from trimtab.report.fetched_source import fetched_status
from trimtab.source.trusted_keys import trusted_keys


@dataclass(slots=True, kw_only=True)
class HelmOrigin:
    """Indexes of chart repositories."""

    charts: ChartRepositories
    accesses: Accesses
    meter: FetchMeter
    clock: Clock
    _known: dict[Key, FetchedIndex] = field(default_factory=dict)

    resource = helm_repository.RESOURCE
    model = HelmRepository
    status = FetchedStatus

    async def fetch(self, key: Key, source: HelmRepository, known: Artifact | None) -> Artifact:
        """See `Origin`."""
        spec = source.spec
        access = await access_of(self.accesses, key, spec)
        before = self._known.get(key)
        fetching = self.charts.index(spec.url, access, before, timeout_seconds=spec.timeout_seconds)
        found = await self.meter.measure(fetching, lambda found: before is None or before.digest != found.digest)
        # A key that was taken away since must not vouch for anything new.
        news = before is None or before.digest != found.digest
        files = await verify_files(self.accesses, key, spec, anew=news)
        keys = trusted_keys(files) if spec.verify else None
        self._known[key] = found
        tree = IndexTree(found, access, spec.timeout_seconds, keys)
        if known is not None and isinstance(known.tree, IndexTree) and _same(known.tree, tree):
            return known
        seen_at = known.seen_at if known is not None and known.digest == found.digest else self.clock.now()
        return Artifact(tree, Revision("", found.digest.removeprefix("sha256:")), None, seen_at, found.digest)

    async def recall(self, _key: Key, _source: HelmRepository) -> Artifact | None:
        """An index is not kept: Applications stay as they are until the server is back."""
        return None

    def report(self, source: HelmRepository, last: Status, news: SourceNews, *, now_seconds: float) -> Status:
        """See `Origin`."""
        told = fetched_news(news, verifies=False)
        return fetched_status(self.status, source.metadata, last, told, now_seconds=now_seconds)

    def reread(self, key: Key) -> None:
        """See `Origin`."""
        self.accesses.forget(key)

    def forget(self, key: Key) -> None:
        """See `Origin`."""
        self.accesses.forget(key)
        self._known.pop(key, None)


def _same(tree: IndexTree, other: IndexTree) -> bool:
    return (tree.identity, tree.revision, tree.access, tree.timeout_seconds) == (
        other.identity,
        other.revision,
        other.access,
        other.timeout_seconds,
    )
