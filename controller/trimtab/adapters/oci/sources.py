"""Implements the loop's `OciRegistries`: from the spec of an OCIRepository to a verified tree in the artifact store.

The network is used on the downloads' loop, archives are unpacked in its threads.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from trimtab.adapters.artifacts.archive import Listing, single, unpack
from trimtab.adapters.artifacts.store import ArtifactStore, Fill, artifact_key
from trimtab.adapters.artifacts.tree import ArtifactTree
from trimtab.adapters.http.client import WebClient
from trimtab.adapters.http.failures import timed_out
from trimtab.adapters.http.loop_thread import LoopThread
from trimtab.adapters.http.pinning import AddressRule
from trimtab.adapters.oci.provenance import ChartWanted, signed_chart, version_of
from trimtab.adapters.oci.registry import Registry
from trimtab.adapters.oci.signatures import verified_signer
from trimtab.adapters.oci.tokens import TokenCache, place_of
from trimtab.api.oci_repository import OciRef, OciRepositorySpec
from trimtab.core.errors import Problem, SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.ports.downloads import Access, OciArtifact
from trimtab.reconcile.ports.verifier import TextVerifier
from trimtab.source.cosign import Wanted
from trimtab.source.oci_address import OciAddress, check_digest, check_tag
from trimtab.source.oci_manifest import CHART_LAYER, Descriptor, Index, Manifest, choose_layer, choose_platform
from trimtab.source.oci_ref import choose_tag
from trimtab.source.registry_auth import docker_credentials
from trimtab.source.trusted_keys import trusted_keys
from trimtab.source.unpacking import ArchiveLimits

_TITLE = "org.opencontainers.image.title"
_SHOWN_ANNOTATIONS = 32
_SHOWN_CHARACTERS = 256


class OciSources:
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
        self._tokens = TokenCache()

    async def fetch(
        self, spec: OciRepositorySpec, access: Access, keys: Mapping[str, bytes], known: OciArtifact | None
    ) -> OciArtifact:
        """See the port. Raises SourceError."""
        seconds = spec.timeout_seconds
        try:
            return await self._downloads.run(self._fetch(spec, access, keys, known), timeout_seconds=seconds)
        except TimeoutError:
            raise timed_out(spec.url, seconds) from None

    async def recall(
        self, spec: OciRepositorySpec, keys: Mapping[str, bytes], revision: Revision
    ) -> OciArtifact | None:
        """See the port. Raises SourceError."""
        return await self._stored(spec, revision, _terms(spec, keys, revision))

    async def _fetch(
        self, spec: OciRepositorySpec, access: Access, keys: Mapping[str, bytes], known: OciArtifact | None
    ) -> OciArtifact:
        address = OciAddress.parse(spec.url)
        api = address.api(insecure=spec.insecure)
        username, password = _credentials(access, address.server)
        async with WebClient(api, access, self._rule) as client:
            place = place_of(api, username, password)
            registry = Registry(client, api, username=username, password=password, tokens=self._tokens, place=place)
            tag, digest = await _resolve(registry, spec.ref)
            revision = Revision(tag, digest.removeprefix("sha256:"))
            terms = _terms(spec, keys, revision)
            if known is not None and (known.digest, known.terms) == (digest, terms):
                return known if known.revision == revision else replace(known, revision=revision)
            stored = await self._stored(spec, revision, terms)
            if stored is None:
                return await self._download(registry, spec, keys, revision, terms)
            if spec.ref.digest:
                # Nothing was asked so far: the store would give to anybody what others may have fetched.
                await registry.digest_of(digest)
            return stored

    async def _stored(self, spec: OciRepositorySpec, revision: Revision, terms: str) -> OciArtifact | None:
        digest = f"sha256:{revision.sha}"
        key = artifact_key("oci", spec.url, digest, terms)
        found = await asyncio.to_thread(self._store.find, key, identity=_identity(spec))
        if found is None:
            return None
        tree, notes = found
        return OciArtifact(revision, tree, digest, notes["annotations"], notes["signedBy"], terms)

    async def _download(
        self, registry: Registry, spec: OciRepositorySpec, keys: Mapping[str, bytes], revision: Revision, terms: str
    ) -> OciArtifact:
        digest = f"sha256:{revision.sha}"
        signed_by, provenance = "", None
        if spec.verify is not None and spec.verify.provider == "cosign":
            # Before the layer is fetched: nothing unsigned is ever unpacked.
            signed_by = await verified_signer(registry, Wanted(digest, spec.verify.reference or ""), keys)
        manifest = await _artifact(registry, digest)
        selector = spec.layer_selector
        layer = choose_layer(manifest, (selector.media_type if selector else None) or "")
        if spec.verify is not None and spec.verify.provider == "pgp":
            name = OciAddress.parse(spec.url).name.rpartition("/")[2]
            wanted = ChartWanted(name, revision.ref, manifest, layer)
            provenance = await signed_chart(registry, wanted, trusted_keys(keys), self._verifier)
            signed_by = provenance.by
        notes: dict[str, Any] = {"annotations": _shown(manifest.annotations), "signedBy": signed_by}
        copy = selector is not None and selector.operation == "copy" and layer.media_type != CHART_LAYER
        with TemporaryFile(dir=self._store.room()) as packed:
            await registry.blob(layer, packed, limit=self._limits.packed_bytes)
            fill: Fill = partial(self._single if copy else self._unpack, packed, layer)
            fill = provenance.around(fill) if provenance else fill
            key = artifact_key("oci", spec.url, digest, terms)
            tree = await asyncio.to_thread(self._put, key, fill, _identity(spec), digest, notes)
        return OciArtifact(revision, tree, digest, notes["annotations"], signed_by, terms)

    def _put(self, key: str, fill: Any, identity: str, digest: str, notes: dict[str, Any]) -> ArtifactTree:
        return self._store.put(key, fill, identity=identity, revision=digest, notes=notes)

    def _unpack(self, packed: IO[bytes], layer: Descriptor, target: Path) -> Listing:
        packed.seek(0)
        # A chart's archive holds one folder of the chart's name.
        return unpack(packed, target, limits=self._limits, strip=int(layer.media_type == CHART_LAYER))

    @staticmethod
    def _single(packed: IO[bytes], layer: Descriptor, target: Path) -> Listing:
        packed.seek(0)
        return single(packed, target, layer.annotations.get(_TITLE, "") or "layer.yaml")


async def _resolve(registry: Registry, ref: OciRef) -> tuple[str, str]:
    """The tag and digest that a ref stands for."""
    if ref.digest:
        return "", check_digest(ref.digest)
    tag = ref.tag or "latest"
    if ref.semver:
        tag = await asyncio.to_thread(choose_tag, await registry.tags(), ref.semver, ref.semver_filter or "")
    return tag, await registry.digest_of(check_tag(tag))


async def _artifact(registry: Registry, digest: str) -> Manifest:
    found = (await registry.manifest(digest)).content
    if isinstance(found, Index):
        chosen = choose_platform(found)
        found = (await registry.manifest(chosen.digest)).content
    if isinstance(found, Index):
        message = "the index lists an index as one of its manifests"
        raise SourceError(Problem(message, reason="ManifestRefused", remedy="push the artifact again", retry=True))
    return found


def _credentials(access: Access, host: str) -> tuple[str, str]:
    if access.docker_config:
        return docker_credentials(access.docker_config, host) or ("", "")
    return access.username, access.password


def _identity(spec: OciRepositorySpec) -> str:
    """What tells trees of one digest apart: another layer holds other files."""
    return "#".join((spec.url, *_layer(spec)))


def _layer(spec: OciRepositorySpec) -> list[str]:
    selector = spec.layer_selector
    return [(selector.media_type or "") if selector else "", selector.operation if selector else "extract"]


def _terms(spec: OciRepositorySpec, keys: Mapping[str, bytes], revision: Revision) -> str:
    parts = _layer(spec)
    if spec.verify is not None:
        # A provenance is of one version: the same chart under another tag has to be looked at again.
        version = version_of(revision.ref) if spec.verify.provider == "pgp" else ""
        parts += [spec.verify.provider, spec.verify.reference or version]
        parts += [f"{name}={sha256(keys[name]).hexdigest()}" for name in sorted(keys)]
    return sha256("\0".join(parts).encode()).hexdigest()


def _shown(annotations: Mapping[str, str]) -> dict[str, str]:
    """What of the annotations has room in a status."""
    fitting = {
        name: value
        for name, value in annotations.items()
        if len(name) <= _SHOWN_CHARACTERS and len(value) <= _SHOWN_CHARACTERS and (name + value).isprintable()
    }
    return dict(sorted(fitting.items())[:_SHOWN_ANNOTATIONS])
