"""Where the artifacts of OCIRepositories and HelmRepositories come from: each kind's way from spec to artifact.

`fetched_sources` calls one for each kind; registries and web servers are reached through the ports.
"""

from collections.abc import Mapping
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
from trimtab.reconcile.remote_bases import BaseRules, base_rules
from trimtab.source.addresses import NamespaceAddresses

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
        access = await self.accesses.get(key, secret=_name(spec.secret_ref), certificates=_name(spec.cert_secret_ref))
        url, before = self._known.get(key, ("", None))
        found = await self.registries.fetch(
            spec, access, await self._keys(key, spec), before if url == spec.url else None
        )
        self._known[key] = (spec.url, found)
        return self._artifact(found, rules, known)

    async def recall(self, key: Key, source: Resource) -> Artifact | None:
        """See `Origin`."""
        assert isinstance(source, OciRepository)
        told = source.status.artifact
        if told is None:
            return None
        try:
            revision = Revision.parse(told.revision)
            rules = self._rules(key, source.spec)
            found = await self.registries.recall(source.spec, await self._keys(key, source.spec), revision)
        except (SourceError, ValueError):
            return None
        return self._artifact(found, rules, None) if found is not None else None

    def forget(self, key: Key) -> None:
        """See `Origin`."""
        self._known.pop(key, None)

    def _rules(self, key: Key, spec: OciRepositorySpec) -> BaseRules:
        return base_rules(key.kind, key.name, spec, self.addresses.of(key.namespace))

    async def _keys(self, key: Key, spec: OciRepositorySpec) -> Mapping[str, bytes]:
        if not spec.verify:
            return {}
        return await self.accesses.files(key, spec.verify.secret_ref.name, field="verify.secretRef")

    def _artifact(self, found: OciArtifact, rules: BaseRules, known: Artifact | None) -> Artifact:
        if known is not None and (known.tree, known.revision) == (found.tree, found.revision):
            return replace(known, bases=rules)
        return Artifact(
            found.tree,
            found.revision,
            None,
            self.clock.now(),
            found.digest,
            metadata=found.annotations,
            signed_by=found.signed_by,
            bases=rules,
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
        access = await self.accesses.get(
            key,
            secret=_name(spec.secret_ref),
            certificates=_name(spec.cert_secret_ref),
            pass_credentials=spec.pass_credentials,
        )
        found = await self.charts.index(spec.url, access, self._known.get(key), timeout_seconds=spec.timeout_seconds)
        self._known[key] = found
        if known is not None and isinstance(known.tree, IndexTree) and _same(known.tree, found, access, spec):
            return known
        seen_at = known.seen_at if known is not None and known.digest == found.digest else self.clock.now()
        tree = IndexTree(found, access, spec.timeout_seconds)
        return Artifact(tree, Revision("", found.digest.removeprefix("sha256:")), None, seen_at, found.digest)

    async def recall(self, _key: Key, _source: Resource) -> Artifact | None:
        """An index is not kept: Applications stay as they are until the server is back."""
        return None

    def forget(self, key: Key) -> None:
        """See `Origin`."""
        self._known.pop(key, None)


def _same(tree: IndexTree, found: FetchedIndex, access: Access, spec: HelmRepositorySpec) -> bool:
    return (tree.found.url, tree.found.digest, tree.access, tree.timeout_seconds) == (
        found.url,
        found.digest,
        access,
        spec.timeout_seconds,
    )


def _name(ref: object) -> str | None:
    return getattr(ref, "name", None)
