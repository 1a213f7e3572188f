"""Where the artifacts of OCIRepositories and HelmRepositories come from: each kind's way from spec to artifact.

`fetched_sources` calls one for each kind; registries and web servers are reached through the ports.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

from trimtab.api import helm_repository, oci_repository
from trimtab.api.fetched import FetchedStatus
from trimtab.api.helm_repository import HelmRepository, HelmRepositorySpec
from trimtab.api.model import Resource
from trimtab.api.oci_repository import OciRepository, OciRepositorySpec, OciRepositoryStatus
from trimtab.core.errors import SourceError
from trimtab.core.refs import ResourceType
from trimtab.core.revision import Revision
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.artifacts import Artifact
from trimtab.reconcile.index_tree import IndexTree
from trimtab.reconcile.ports import Clock
from trimtab.reconcile.ports.downloads import Access, ChartRepositories, FetchedIndex, OciArtifact, OciRegistries
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import Files
from trimtab.reconcile.remote_bases import BaseRules, base_rules
from trimtab.source.addresses import NamespaceAddresses
from trimtab.source.trusted_keys import trusted_keys

FetchedSource = OciRepository | HelmRepository


class Origin(Protocol):
    """One kind of source."""

    @property
    def resource(self) -> ResourceType:
        """The kind."""
        ...

    @property
    def status(self) -> type[FetchedStatus]:
        """The model of its status."""
        ...

    async def fetch(self, key: Key, source: Resource, known: Artifact | None) -> Artifact:
        """The newest artifact; `known` itself where nothing has changed. Raises SourceError."""
        ...

    async def recall(self, key: Key, source: Resource) -> Artifact | None:
        """The artifact that the status names, without asking its server; None where it is not at hand."""
        ...

    def forget(self, key: Key) -> None:
        """The source is gone."""
        ...


@dataclass(slots=True, kw_only=True)
class OciOrigin:
    """Artifacts of registries."""

    registries: OciRegistries
    accesses: Accesses
    clock: Clock
    addresses: NamespaceAddresses = field(default_factory=lambda: NamespaceAddresses(""))
    """Where remote bases may lie."""
    _known: dict[Key, tuple[str, OciArtifact]] = field(default_factory=dict)

    resource = oci_repository.RESOURCE
    status = OciRepositoryStatus

    async def fetch(self, key: Key, source: Resource, known: Artifact | None) -> Artifact:
        """See `Origin`."""
        assert isinstance(source, OciRepository)
        spec = source.spec
        rules = self._rules(key, spec)
        access = await access_of(self.accesses, key, spec)
        url, last = self._known.get(key, ("", None))
        before = last if url == spec.url else None
        keys = await verify_files(self.accesses, key, spec)
        found = await self.registries.fetch(spec, access, keys, before)
        if before is None or before.digest != found.digest:
            # A key that was taken away since must not vouch for anything new.
            current = await verify_files(self.accesses, key, spec, anew=True)
            found = found if current == keys else await self.registries.fetch(spec, access, current, before)
        self._known[key] = (spec.url, found)
        return self._artifact(found, rules, known, verified=spec.verify is not None)

    async def recall(self, key: Key, source: Resource) -> Artifact | None:
        """See `Origin`."""
        assert isinstance(source, OciRepository)
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

    def forget(self, key: Key) -> None:
        """See `Origin`."""
        self._known.pop(key, None)

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


@dataclass(slots=True, kw_only=True)
class HelmOrigin:
    """Indexes of chart repositories."""

    charts: ChartRepositories
    accesses: Accesses
    clock: Clock
    _known: dict[Key, FetchedIndex] = field(default_factory=dict)

    resource = helm_repository.RESOURCE
    status = FetchedStatus

    async def fetch(self, key: Key, source: Resource, known: Artifact | None) -> Artifact:
        """See `Origin`."""
        assert isinstance(source, HelmRepository)
        spec = source.spec
        access = await access_of(self.accesses, key, spec)
        before = self._known.get(key)
        found = await self.charts.index(spec.url, access, before, timeout_seconds=spec.timeout_seconds)
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

    async def recall(self, _key: Key, _source: Resource) -> Artifact | None:
        """An index is not kept: Applications stay as they are until the server is back."""
        return None

    def forget(self, key: Key) -> None:
        """See `Origin`."""
        self._known.pop(key, None)


async def access_of(accesses: Accesses, key: Key, spec: OciRepositorySpec | HelmRepositorySpec) -> Access:
    """What a source shows of us, by the Secrets of its spec. Raises SourceError."""
    return await accesses.get(
        key,
        secret=_name(spec.secret_ref),
        certificates=_name(spec.cert_secret_ref),
        proxy=_name(spec.proxy_secret_ref),
        pass_credentials=isinstance(spec, HelmRepositorySpec) and spec.pass_credentials,
    )


async def verify_files(
    accesses: Accesses, key: Key, spec: OciRepositorySpec | HelmRepositorySpec, *, anew: bool = False
) -> Files:
    """The files of verify.secretRef; none where nothing is to be verified. Raises SourceError."""
    if not spec.verify:
        return {}
    return await accesses.files(key, spec.verify.secret_ref.name, field="verify.secretRef", anew=anew)


def _same(tree: IndexTree, other: IndexTree) -> bool:
    return (tree.identity, tree.revision, tree.access, tree.timeout_seconds) == (
        other.identity,
        other.revision,
        other.access,
        other.timeout_seconds,
    )


def _name(ref: object) -> str | None:
    return getattr(ref, "name", None)
