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
from trimtab.adapters.http.client import WebClient, basic
from trimtab.adapters.http.failures import timed_out
from trimtab.adapters.http.loop_thread import LoopThread
from trimtab.adapters.http.pinning import AddressRule
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports.downloads import Access, Chart, FetchedIndex
from trimtab.source.chart_index import MAX_INDEX_BYTES, ChartVersion, parse_index
from trimtab.source.redirects import download_url, origin
from trimtab.source.unpacking import ArchiveLimits, refusal
from trimtab.source.url import check_url

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class HttpChartRepositories:
    """One per process."""

    def __init__(
        self, downloads: LoopThread, store: ArtifactStore, rule: AddressRule, limits: ArchiveLimits | None = None
    ) -> None:
        self._downloads = downloads
        self._store = store
        self._rule = rule
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
        self, found: FetchedIndex, access: Access, *, name: str, version: str, timeout_seconds: float
    ) -> Chart:
        """See the port. Raises SourceError."""
        wanted = found.index.choose(name, version)
        try:
            work = self._chart(found, access, name, wanted)
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

    async def _chart(self, found: FetchedIndex, access: Access, name: str, wanted: ChartVersion) -> Chart:
        if wanted.digest and not _DIGEST.fullmatch(wanted.digest):
            message = f"index.yaml states a digest of chart {name} {wanted.version} that is no SHA-256"
            remedy = "make it anew with `helm repo index`"
            raise SourceError(Problem(message, reason="IndexRefused", remedy=remedy, retry=True))
        url = download_url(found.url, wanted.url)
        stated = f"sha256:{wanted.digest}" if wanted.digest else ""
        # A chart without a digest may be another one whenever the index is another one.
        key = artifact_key("chart", name, stated or f"{found.digest} {url}")
        identity = f"{found.url}#{name}"
        known = await asyncio.to_thread(self._store.find, key, identity=identity, revision=stated)
        if known is not None:
            return Chart(wanted.version, known[1]["digest"], known[0])
        with TemporaryFile(dir=self._store.room()) as packed:
            digest = await self._download(found, access, url, stated, packed)
            tree = await asyncio.to_thread(self._put, key, packed, identity, digest)
        return Chart(wanted.version, digest, tree)

    async def _download(self, found: FetchedIndex, access: Access, url: str, stated: str, packed: IO[bytes]) -> str:
        ours = origin(url) == origin(found.url) or access.pass_credentials
        async with WebClient(found.url, access, self._rule) as client:
            return await client.save(
                url,
                packed,
                authorization=basic(access.username, access.password) if ours else "",
                limit=self._limits.packed_bytes,
                digest=stated,
            )

    def _put(self, key: str, packed: IO[bytes], identity: str, digest: str) -> ArtifactTree:
        fill = partial(unpack_chart, packed, limits=self._limits)
        return self._store.put(key, fill, identity=identity, revision=digest, notes={"digest": digest})


def unpack_chart(packed: IO[bytes], target: Path, *, limits: ArchiveLimits) -> Listing:
    """Write the files of a packed chart, without the folder of its name around them. Raises SourceError."""
    packed.seek(0)
    listing = unpack(packed, target, limits=limits, strip=1)
    if "Chart.yaml" not in listing:
        raise refusal("is no chart: it holds no folder with a Chart.yaml")
    return listing
