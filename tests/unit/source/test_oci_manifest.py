"""Manifests as registries send them."""

import json

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.oci_manifest import (
    CHART_LAYER,
    DOCKER_INDEX,
    MAX_DESCRIPTORS,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    Manifest,
    choose_layer,
    choose_platform,
    parse_manifest,
)

ONE, TWO, THREE = (f"sha256:{letter * 64}" for letter in "abc")


def descriptor(digest=ONE, media_type="application/x", **more):
    return {"mediaType": media_type, "digest": digest, "size": 7, **more}


def manifest(**more):
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(THREE),
        "layers": [descriptor()],
        **more,
    }
    return json.dumps(body).encode()


def index(*manifests, **more):
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests, **more}).encode()


def test_a_manifest_tells_its_layers():
    found = parse_manifest(
        manifest(
            annotations={"a": "b", "c": 1}, subject=descriptor(TWO), layers=[descriptor(), descriptor(TWO, CHART_LAYER)]
        ),
        OCI_MANIFEST,
    )
    assert isinstance(found, Manifest)
    assert found.annotations == {"a": "b"}
    assert found.subject == TWO
    assert found.config is not None
    assert choose_layer(found, "").digest == ONE
    assert choose_layer(found, CHART_LAYER).digest == TWO
    with pytest.raises(SourceError, match="no layer of media type text/x") as refused:
        choose_layer(found, "text/x")
    assert refused.value.reason == "LayerNotFound"


def test_a_manifest_without_layers_has_none_to_choose():
    found = parse_manifest(manifest(layers=[]), OCI_MANIFEST)
    assert isinstance(found, Manifest)
    with pytest.raises(SourceError, match="has no layers"):
        choose_layer(found, "")


@pytest.mark.parametrize(
    ("platforms", "chosen"),
    [
        ([None], 0),
        ([{"os": "linux", "architecture": "arm64"}, {"os": "linux", "architecture": "amd64"}], 1),
        ([{"os": "linux", "architecture": "amd64"}, None], 1),
        ([{"os": "windows", "architecture": "amd64"}, {"os": "unknown", "architecture": "unknown"}], 0),
    ],
)
def test_one_manifest_of_an_index_is_chosen(platforms, chosen):
    digests = [ONE, TWO, THREE]
    entries = [
        descriptor(digests[number], OCI_MANIFEST, **({"platform": each} if each else {}))
        for number, each in enumerate(platforms)
    ]
    found = parse_manifest(index(*entries), OCI_INDEX)
    assert isinstance(found, Index)
    assert choose_platform(found).digest == digests[chosen]


@pytest.mark.parametrize(
    "entries",
    [[], [descriptor(media_type=OCI_INDEX)], [descriptor(ONE, OCI_MANIFEST, platform={"os": "a"})] * 2],
)
def test_an_index_without_a_fit_is_refused(entries):
    found = parse_manifest(index(*entries), OCI_INDEX)
    assert isinstance(found, Index)
    with pytest.raises(SourceError, match="lists no manifest"):
        choose_platform(found)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"{", OCI_MANIFEST),
        (b"[" * 100_000, OCI_MANIFEST),
        (b"[]", OCI_MANIFEST),
        (manifest(schemaVersion=1), OCI_MANIFEST),
        (manifest(), DOCKER_INDEX),
        (manifest(mediaType="text/html"), "text/html"),
        (manifest(manifests=[]), OCI_MANIFEST),
        (index(layers=[]), OCI_INDEX),
        (manifest(layers=None), OCI_MANIFEST),
        (manifest(layers=[1]), OCI_MANIFEST),
        (manifest(layers=[descriptor("sha256:x")]), OCI_MANIFEST),
        (manifest(layers=[descriptor(size=-1)]), OCI_MANIFEST),
        (manifest(layers=[descriptor(size=True)]), OCI_MANIFEST),
        (manifest(layers=[descriptor(media_type=None)]), OCI_MANIFEST),
        (manifest(layers=[descriptor()] * (MAX_DESCRIPTORS + 1)), OCI_MANIFEST),
    ],
)
def test_what_is_no_manifest_is_refused(content, media_type):
    with pytest.raises(SourceError) as refused:
        parse_manifest(content, media_type)
    assert refused.value.reason == "ManifestRefused"
