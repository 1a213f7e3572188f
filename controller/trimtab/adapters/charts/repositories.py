"""Implements the loop's `ChartRepositories`: indexes by conditional requests, charts by their digest there.

The network is used on the downloads' loop; indexes are read and archives unpacked in its threads.
"""

import asyncio
import re
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from trimtab.adapters.artifacts.archive import Listing, unpack
from trimtab.adapters.artifacts.store import ArtifactStore, artifact_key
from trimtab.adapters.artifacts.tree import ArtifactTree
from trimtab.adapters.charts.provenance import Signed, signed
from trimtab.adapters.http.client import WebClient, basic
from trimtab.adapters.http.failures import timed_out
from trimtab.adapters.http.loop_thread import LoopThread
from trimtab.adapters.http.pinning import AddressRule
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports.downloads import Access, Chart, FetchedIndex
from trimtab.reconcile.ports.verifier import TextVerifier
from trimtab.source.chart_index import MAX_INDEX_BYTES, ChartVersion, parse_index
from trimtab.source.provenance import MAX_BYTES, missing
from trimtab.source.redirects import download_url, origin
from trimtab.source.trusted_keys import TrustedKeys
from trimtab.source.unpacking import ArchiveLimits, refusal
from trimtab.source.url import check_url

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class HttpChartRepositories:
    """One per process."""

    def __init__(
        self,
        downloads: LoopThread,
        store: ArtifactStore,
        rule: AddressRule,
        verifier: TextVerifier,
        limits: ArchiveLimits | None = None,
    ) -> None:
        self._downloads = downloads
        self._store = store
        self._rule = rule
        self._verifier = verifier
        self._limits = limits or ArchiveLimits()

    async def index(
        self, url: str, access: Access, known: FetchedIndex | None, *, timeout_seconds: float
    ) -> FetchedIndex:
        """See the port. Raises SourceError."""
        work = self._index(check_url(url), access, known if known is not None and known.url == url else None)
        try:
            return await self._downloads.run(work, timeout_seconds=timeout_seconds)
        except TimeoutError:
            raise timed_out(url, timeout_seconds) from None

    async def chart(
        self,
        found: FetchedIndex,
        access: Access,
        *,
        name: str,
        version: str,
        timeout_seconds: float,
        keys: TrustedKeys | None = None,
    ) -> Chart:
        """See the port. Raises SourceError."""
        wanted = await asyncio.to_thread(found.index.choose, name, version)
        try:
            work = self._chart(found, access, name, wanted, keys)
            return await self._downloads.run(work, timeout_seconds=timeout_seconds)
        except TimeoutError:
            raise timed_out(found.url, timeout_seconds) from None

    async def _index(self, url: str, access: Access, known: FetchedIndex | None) -> FetchedIndex:
        headers = {}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        elif known is not None and known.modified:
            headers["If-Modified-Since"] = known.modified
        async with WebClient(url, access, self._rule) as client:
            answer = await client.ask(
                f"{url.rstrip('/')}/index.yaml",
                headers=headers,
                authorization=basic(access.username, access.password),
                limit=MAX_INDEX_BYTES,
                expected=(200, 304) if headers else (200,),
            )
        if answer.status == 304 and known is not None:
            return known
        digest = f"sha256:{sha256(answer.body).hexdigest()}"
        etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
        same = known is not None and known.digest == digest
        index = known.index if known is not None and same else await asyncio.to_thread(parse_index, answer.body)
        return FetchedIndex(url, digest, index, etag, modified)

    async def _chart(
        self, found: FetchedIndex, access: Access, name: str, wanted: ChartVersion, keys: TrustedKeys | None
    ) -> Chart:
        if wanted.digest and not _DIGEST.fullmatch(wanted.digest):
            message = f"index.yaml states a digest of chart {name} {wanted.version} that is no SHA-256"
            remedy = "make it anew with `helm repo index`"
            raise SourceError(Problem(message, reason="IndexRefused", remedy=remedy, retry=True))
        url = download_url(found.url, wanted.url)
        stated = f"sha256:{wanted.digest}" if wanted.digest else ""
        # A chart without a digest may be another one whenever the index is another one. What was verified by these
        # keys, for this version, is apart from what nobody has looked at. Who knows the digest of a chart that another
        # repository keeps to itself, gets it from there or not at all.
        terms = ("pgp", keys.digest, wanted.version) if keys is not None else ()
        key = artifact_key("chart", found.url, name, stated or f"{found.digest} {url}", *terms)
        identity = f"{found.url}#{name}"
        known = await asyncio.to_thread(self._store.find, key, identity=identity)
        if known is not None:
            return Chart(wanted.version, known[1]["digest"], known[0], known[1].get("signedBy", ""))
        async with WebClient(found.url, access, self._rule) as client:
            ours = origin(url) == origin(found.url) or access.pass_credentials
            proof = basic(access.username, access.password) if ours else ""
            # Before the archive is fetched: nothing unsigned is ever unpacked.
            provenance = await self._provenance(client, url, proof, name, wanted, keys) if keys is not None else None
            with TemporaryFile(dir=self._store.room()) as packed:
                limit = self._limits.packed_bytes
                digest = await client.save(url, packed, authorization=proof, limit=limit, digest=stated)
                if provenance is not None:
                    provenance.check(digest, name=name, version=wanted.version)
                tree = await asyncio.to_thread(self._put, key, packed, identity, digest, provenance)
        return Chart(wanted.version, digest, tree, provenance.by if provenance else "")

    async def _provenance(
        self, client: WebClient, url: str, proof: str, name: str, wanted: ChartVersion, keys: TrustedKeys
    ) -> Signed:
        path, mark, query = url.partition("?")
        answer = await client.ask(
            f"{path}.prov{mark}{query}", authorization=proof, limit=MAX_BYTES, expected=(200, 404, 410)
        )
        if answer.status != 200:
            raise missing(f"chart {name} {wanted.version}")
        return await signed(answer.body, keys, self._verifier)

    def _put(self, key: str, packed: IO[bytes], identity: str, digest: str, provenance: Signed | None) -> ArtifactTree:
        fill = partial(unpack_chart, packed, limits=self._limits)
        notes = {"digest": digest} | ({"signedBy": provenance.by} if provenance else {})
        checked = provenance.around(fill) if provenance else fill
        return self._store.put(key, checked, identity=identity, revision=digest, notes=notes)


def unpack_chart(packed: IO[bytes], target: Path, *, limits: ArchiveLimits) -> Listing:
    """Write the files of a packed chart, without the folder of its name around them. Raises SourceError."""
    packed.seek(0)
    listing = unpack(packed, target, limits=limits, strip=1)
    if "Chart.yaml" not in listing:
        raise refusal("is no chart: it holds no folder with a Chart.yaml")
    return listing
