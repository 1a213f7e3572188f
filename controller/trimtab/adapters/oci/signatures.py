"""Looks for a signature of an artifact that one of the wanted keys made.

A registry, a digest and keys flow in, the name of the key that signed flows out. Both places are looked at: the tag
that belongs to the digest, and what refers to it.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import islice

from trimtab.adapters.oci.registry import Found, Registry
from trimtab.core.errors import Problem
from trimtab.source.cosign import (
    BUNDLE,
    MAX_PAYLOAD_BYTES,
    SIGNATURE_ANNOTATION,
    SIMPLE_SIGNING,
    Wanted,
    bundle_signer,
    public_keys,
    referrers_tag,
    signature_tag,
    signer,
)
from trimtab.source.oci_manifest import Descriptor, Index, Manifest
from trimtab.source.signed_object import NotVerified

MAX_SIGNATURES = 50


async def verified_signer(registry: Registry, wanted: Wanted, files: Mapping[str, bytes]) -> str:
    """The name of the key that signed it. Raises NotVerified; SourceError (SecretInvalid)."""
    keys = public_keys(files)
    seen = False
    for layer, signature in _simple(await registry.tagged(signature_tag(wanted.digest))):
        seen = True
        payload = await registry.small_blob(layer, limit=MAX_PAYLOAD_BYTES)
        if name := signer(payload, signature, wanted, keys):
            return name
    async for bundle in _bundles(registry, wanted.digest):
        seen = True
        if name := bundle_signer(bundle, wanted, keys):
            return name
    raise _refusal(wanted, seen=seen)


def _simple(found: Found | None) -> Iterator[tuple[Descriptor, str]]:
    if found is None or not isinstance(found.content, Manifest):
        return
    layers = [layer for layer in found.content.layers if layer.media_type == SIMPLE_SIGNING]
    for layer in islice(layers, MAX_SIGNATURES):
        if signature := layer.annotations.get(SIGNATURE_ANNOTATION, ""):
            yield layer, signature


async def _bundles(registry: Registry, digest: str) -> AsyncIterator[bytes]:
    listed = await registry.referrers(digest)
    if listed is None:
        tagged = await registry.tagged(referrers_tag(digest))
        listed = tagged.content if tagged is not None and isinstance(tagged.content, Index) else Index(())
    bundles = [each for each in listed.manifests if each.artifact_type == BUNDLE]
    for each in islice(bundles, MAX_SIGNATURES):
        found = (await registry.manifest(each.digest)).content
        if isinstance(found, Manifest) and found.subject == digest and found.layers:
            yield await registry.small_blob(found.layers[0], limit=MAX_PAYLOAD_BYTES)


def _refusal(wanted: Wanted, *, seen: bool) -> NotVerified:
    if not seen:
        message = f"the artifact {wanted.digest} is not signed"
        return NotVerified(Problem(message, reason="NotSigned", remedy="sign it by `cosign sign --key`", retry=True))
    named = f" as {wanted.reference}" if wanted.reference else ""
    message = f"no key of verify.secretRef has signed the artifact {wanted.digest}{named}"
    remedy = "sign it with one of these keys, or add the signer's public key to the Secret"
    return NotVerified(Problem(message, reason="SignatureRefused", remedy=remedy, retry=True))
