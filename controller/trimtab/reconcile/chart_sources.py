"""Which declared repository a chart's dependency is of, and what it says of credentials, certificates and signatures.

What a lock names flows in, a `ChartOrder` flows out; `chart_desk` asks. As with Argo CD the URL decides: a
HelmRepository or OCIRepository of the Application's namespace holds for what lies at or below its url, the longest for
what several cover. Nothing is shown to a host that nobody declared.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trimtab.api.helm_repository import HelmRepository
from trimtab.api.oci_repository import OciRepository
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.desk import HELM_REPOSITORY, OCI_REPOSITORY
from trimtab.reconcile.origins.downloaded import FetchedSource, access_of, verify_files
from trimtab.reconcile.ports.downloads import ChartOrder, ChartWanted
from trimtab.reconcile.queue import Key
from trimtab.source.declared_urls import shared

_NAMED = ("@", "alias:")
_OCI = "oci://"


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, and the source that it was made by (None: nobody declared one)."""

    order: ChartOrder
    source: Key | None = None
    secret: str = ""


@dataclass(slots=True)
class ChartSources:
    """`declared` lists the HelmRepositories and OCIRepositories of a namespace."""

    declared: Callable[[str], Iterable[FetchedSource]]
    accesses: Accesses

    async def place(self, namespace: str, wanted: ChartWanted) -> Placed:
        """How to fetch it. Raises SourceError where a Secret cannot be used, or a repository named is not there."""
        repository = wanted.repository
        named = next((repository.removeprefix(mark) for mark in _NAMED if repository.startswith(mark)), "")
        source = self._named(namespace, named) if named else self._covering(namespace, wanted)
        if source is None:
            return Placed(ChartOrder(repository=repository, name=wanted.name, version=wanted.version))
        spec = source.spec
        repository = spec.url if named else repository
        kind = OCI_REPOSITORY if isinstance(source, OciRepository) else HELM_REPOSITORY
        key = Key(kind, namespace, source.metadata.name)
        order = ChartOrder(
            repository=repository,
            name=wanted.name,
            version=wanted.version,
            access=await access_of(self.accesses, key, spec),
            insecure=isinstance(source, OciRepository) and source.spec.insecure,
            timeout_seconds=spec.timeout_seconds,
            verify=spec.verify,
            keys=tuple(sorted((await verify_files(self.accesses, key, spec)).items())),
        )
        return Placed(order, key, spec.secret_ref.name if spec.secret_ref else "")

    def _named(self, namespace: str, name: str) -> HelmRepository:
        for source in self.declared(namespace):
            if isinstance(source, HelmRepository) and source.metadata.name == name:
                return source
        message = f"there is no HelmRepository {name} in namespace {namespace}, by which its repository is named"
        remedy = "create it, or write the repository's URL and renew the lock: helm dependency update"
        raise SourceError(Problem(message, reason="RepositoryNotFound", remedy=remedy, retry=True))

    def _covering(self, namespace: str, wanted: ChartWanted) -> FetchedSource | None:
        kind = OciRepository if wanted.repository.startswith(_OCI) else HelmRepository
        url = f"{wanted.repository.rstrip('/')}/{wanted.name}" if kind is OciRepository else wanted.repository
        found = [
            (-steps, source.metadata.name, source)
            for source in self.declared(namespace)
            if isinstance(source, kind) and (steps := shared(source.spec.url, url))
        ]
        return min(found, key=lambda each: each[:2])[2] if found else None
