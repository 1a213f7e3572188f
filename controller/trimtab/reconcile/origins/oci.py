"""OCIRepositories: the artifact that a tag, a range or a digest names; the registries judge its signature."""

from dataclasses import dataclass, field, replace

from trimtab.api import oci_repository
from trimtab.api.model import Status
from trimtab.api.oci_repository import OciRepository, OciRepositorySpec, OciRepositoryStatus
from trimtab.core.errors import SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.fetch_meter import FetchMeter
from trimtab.reconcile.origins.downloaded import access_of, fetched_news, verify_files
from trimtab.reconcile.origins.origin import SourceNews
from trimtab.reconcile.ports import Clock
from trimtab.reconcile.ports.downloads import Access, OciArtifact, OciRegistries
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import Files
from trimtab.reconcile.remote_bases import BaseRules, base_rules
from trimtab.report.fetched_source import fetched_status
from trimtab.source.addresses import NamespaceAddresses


@dataclass(slots=True, kw_only=True)
class OciOrigin:
    """Artifacts of registries."""

    registries: OciRegistries
    accesses: Accesses
    meter: FetchMeter
    clock: Clock
    addresses: NamespaceAddresses = field(default_factory=lambda: NamespaceAddresses(""))
    """Where remote bases may lie."""
    _known: dict[Key, tuple[str, OciArtifact]] = field(default_factory=dict)

    resource = oci_repository.RESOURCE
    model = OciRepository
    status = OciRepositoryStatus

    async def fetch(self, key: Key, source: OciRepository, known: Artifact | None) -> Artifact:
        """See `Origin`."""
        spec = source.spec
        rules = self._rules(key, spec)
        access = await access_of(self.accesses, key, spec)
        url, last = self._known.get(key, ("", None))
        before = last if url == spec.url else None
        keys = await verify_files(self.accesses, key, spec)
        found = await self._ask(spec, access, keys, before)
        if before is None or before.digest != found.digest:
            # A key that was taken away since must not vouch for anything new.
            current = await verify_files(self.accesses, key, spec, anew=True)
            found = found if current == keys else await self._ask(spec, access, current, before)
        self._known[key] = (spec.url, found)
        return self._artifact(found, rules, known, verified=spec.verify is not None)

    async def recall(self, key: Key, source: OciRepository) -> Artifact | None:
        """See `Origin`."""
        told = source.status.artifact
        if told is None:
            return None
        try:
            revision = Revision.parse(told.revision)
            rules = self._rules(key, source.spec)
            keys = await verify_files(self.accesses, key, source.spec)
            found = await self.registries.recall(source.spec, keys, revision)
        except (SourceError, ValueError):
            return None
        if found is None:
            return None
        return self._artifact(found, rules, None, verified=source.spec.verify is not None)

    def report(self, source: OciRepository, last: Status, news: SourceNews, *, now_seconds: float) -> Status:
        """See `Origin`."""
        told = fetched_news(news, verifies=source.spec.verify is not None)
        return fetched_status(self.status, source.metadata, last, told, now_seconds=now_seconds)

    def reread(self, key: Key) -> None:
        """See `Origin`."""
        self.accesses.forget(key)

    def forget(self, key: Key) -> None:
        """See `Origin`."""
        self.accesses.forget(key)
        self._known.pop(key, None)

    async def _ask(
        self, spec: OciRepositorySpec, access: Access, keys: Files, before: OciArtifact | None
    ) -> OciArtifact:
        fetching = self.registries.fetch(spec, access, keys, before)
        return await self.meter.measure(fetching, lambda found: before is None or before.digest != found.digest)

    def _rules(self, key: Key, spec: OciRepositorySpec) -> BaseRules:
        return base_rules(key.kind, key.name, spec, self.addresses.of(key.namespace))

    def _artifact(self, found: OciArtifact, rules: BaseRules, known: Artifact | None, *, verified: bool) -> Artifact:
        if known is not None and (known.tree, known.revision) == (found.tree, found.revision):
            return replace(known, bases=rules, verified=verified)
        return Artifact(
            found.tree,
            found.revision,
            None,
            self.clock.now(),
            found.digest,
            metadata=found.annotations,
            signed_by=found.signed_by,
            bases=rules,
            verified=verified,
        )
