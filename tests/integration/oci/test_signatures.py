"""Signatures in a real registry, laid there as cosign lays them."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.integration.oci.conftest import spec_of
from tests.unit.source.test_cosign import bundle, payload, pem, sign

from trimtab.core.errors import SourceError
from trimtab.reconcile.ports.downloads import NO_ACCESS
from trimtab.source.cosign import BUNDLE, SIGNATURE_ANNOTATION, SIMPLE_SIGNING, referrers_tag, signature_tag
from trimtab.source.oci_manifest import OCI_MANIFEST

VERIFY = {"provider": "cosign", "secretRef": {"name": "keys"}}


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def registry(start_registry):
    return start_registry()


def sign_simply(registry, digest, *signers, name="registry.example/app", about=""):
    content = payload(about or digest, name)
    layers = [(SIMPLE_SIGNING, content, {SIGNATURE_ANNOTATION: sign(each, content)}) for each in signers]
    registry.push("app", signature_tag(digest), *layers)


def sign_by_bundle(registry, digest, signer, **more):
    subject = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1}
    tag = "bundle"
    made = registry.push("app", tag, (BUNDLE, bundle(signer, digest, **more), {}), artifactType=BUNDLE, subject=subject)
    entry = {"mediaType": OCI_MANIFEST, "digest": made, "size": 1, "artifactType": BUNDLE}
    registry.push_index("app", referrers_tag(digest), entry)


async def fetch(sources, registry, *keys, **verify):
    files = {f"key-{number}.pub": pem(each) for number, each in enumerate(keys)}
    return await sources.fetch(spec_of(registry, verify=VERIFY | verify), NO_ACCESS, files, None)


@pytest.mark.parametrize("lay", [sign_simply, sign_by_bundle])
async def test_signed_artifacts_are_taken(registry, sources, key, lay):
    digest = registry.push_files("app", "latest", {"a": "b"})
    lay(registry, digest, key)
    other = ec.generate_private_key(ec.SECP256R1())
    assert (await fetch(sources, registry, other, key)).signed_by == "key-1.pub"


async def test_one_of_many_signatures_is_enough(registry, sources, key):
    digest = registry.push_files("app", "latest", {"a": "b"})
    sign_simply(registry, digest, ec.generate_private_key(ec.SECP256R1()), key)
    assert (await fetch(sources, registry, key)).signed_by == "key-0.pub"


async def test_unsigned_artifacts_are_never_unpacked(registry, sources, store, key):
    registry.push_files("app", "latest", {"a": "b"})
    with pytest.raises(SourceError) as refused:
        await fetch(sources, registry, key)
    assert refused.value.reason == "NotSigned"
    assert list(store.room().iterdir()) == []


@pytest.mark.parametrize("lay", [sign_simply, sign_by_bundle])
async def test_the_signature_of_a_stranger_is_refused(registry, sources, key, lay):
    digest = registry.push_files("app", "latest", {"a": "b"})
    lay(registry, digest, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(SourceError) as refused:
        await fetch(sources, registry, key)
    assert refused.value.reason == "SignatureRefused"


async def test_a_signature_of_another_artifact_is_refused(registry, sources, key):
    good = registry.push_files("app", "good", {"a": "b"})
    digest = registry.push_files("app", "latest", {"a": "evil"})
    sign_simply(registry, digest, key, about=good)
    with pytest.raises(SourceError) as refused:
        await fetch(sources, registry, key)
    assert refused.value.reason == "SignatureRefused"


async def test_an_attestation_is_no_signature(registry, sources, key):
    digest = registry.push_files("app", "latest", {"a": "b"})
    sign_by_bundle(registry, digest, key, predicate="https://slsa.dev/provenance/v1")
    with pytest.raises(SourceError) as refused:
        await fetch(sources, registry, key)
    assert refused.value.reason == "SignatureRefused"


async def test_the_name_that_was_signed_counts_where_one_is_asked_for(registry, sources, key):
    digest = registry.push_files("app", "latest", {"a": "b"})
    sign_simply(registry, digest, key, name="registry.example/app")
    assert (await fetch(sources, registry, key, reference="registry.example/app")).signed_by
    with pytest.raises(SourceError) as refused:
        await fetch(sources, registry, key, reference="registry.example/other")
    assert refused.value.reason == "SignatureRefused"


async def test_other_keys_ask_for_another_look_though_the_artifact_is_at_hand(registry, sources, key):
    digest = registry.push_files("app", "latest", {"a": "b"})
    sign_simply(registry, digest, key)
    found = await fetch(sources, registry, key)
    other = {"key.pub": pem(ec.generate_private_key(ec.SECP256R1()))}
    spec = spec_of(registry, verify=VERIFY)
    with pytest.raises(SourceError) as refused:
        await sources.fetch(spec, NO_ACCESS, other, found)
    assert refused.value.reason == "SignatureRefused"
    assert await sources.recall(spec, other, found.revision) is None
    unverified = await sources.fetch(spec_of(registry), NO_ACCESS, {}, None)
    assert unverified.signed_by == ""


async def test_a_payload_that_was_changed_in_the_registry_is_refused(registry, sources, key):
    digest = registry.push_files("app", "latest", {"a": "b"})
    content = payload(digest)
    changed = json.dumps(json.loads(content) | {"optional": {"x": "y"}}).encode()
    layer = (SIMPLE_SIGNING, changed, {SIGNATURE_ANNOTATION: sign(key, content)})
    junk = (SIMPLE_SIGNING, content, {SIGNATURE_ANNOTATION: base64.b64encode(b"junk").decode()})
    registry.push("app", signature_tag(digest), layer, junk, (SIMPLE_SIGNING, content, {}))
    with pytest.raises(SourceError) as refused:
        await fetch(sources, registry, key)
    assert refused.value.reason == "SignatureRefused"
