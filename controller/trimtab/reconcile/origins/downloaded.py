"""What OCIRepositories and HelmRepositories have in common: the Secrets that their specs name, and what they tell."""

from trimtab.api.helm_repository import HelmRepository, HelmRepositorySpec
from trimtab.api.oci_repository import OciRepository, OciRepositorySpec
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.origins.origin import SourceNews
from trimtab.reconcile.ports.downloads import Access
from trimtab.reconcile.queue import Key
from trimtab.reconcile.referred_secrets import Files
from trimtab.report.fetched_source import FetchedNews

FetchedSource = OciRepository | HelmRepository


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


def fetched_news(news: SourceNews, *, verifies: bool) -> FetchedNews:
    """For status; `verifies` says that the artifact must be signed."""
    artifact = news.artifact
    if artifact is None:
        return FetchedNews(
            problem=news.problem, suspended=news.suspended, verifies=verifies, unverified=news.unverified
        )
    return FetchedNews(
        revision=str(artifact.revision),
        seen_seconds=artifact.seen_at,
        digest=artifact.digest,
        metadata=artifact.metadata,
        signed_by=artifact.signed_by,
        verifies=verifies,
    )


def _name(ref: object) -> str | None:
    return getattr(ref, "name", None)
