"""Manifests of OCI artifacts: the bytes of one as its layers, or as the manifests that an index lists.

Bytes that a registry sent (their digest verified before) flow in, typed descriptors or a `SourceError` flow out. The
registry client calls it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trimtab.core.errors import Problem, SourceError
from trimtab.source.oci_address import is_digest

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES: Final = (OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_INDEX)
CHART_LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
PROVENANCE_LAYER: Final = "application/vnd.cncf.helm.chart.provenance.v1.prov"

MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024
MAX_DESCRIPTORS: Final = 1000
_PLATFORM: Final = ("linux", "amd64")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A blob or manifest as another manifest names it."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: tuple[str, str] = ("", "")
    artifact_type: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One artifact's layers; `config` has no digest where the manifest names none."""

    layers: tuple[Descriptor, ...]
    config: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """Manifests of one artifact for several platforms, or of several artifacts."""

    manifests: tuple[Descriptor, ...]


def parse_manifest(content: bytes, media_type: str) -> Manifest | Index:
    """Read it. Raises SourceError (reason ManifestRefused)."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise _refusal("the manifest is no JSON") from None
    if not isinstance(body, dict) or body.get("schemaVersion") != 2:
        raise _refusal("the manifest is not of schema version 2")
    stated = body.get("mediaType") or media_type
    if stated != media_type or media_type not in MANIFEST_TYPES:
        # A type that can be read both ways lets two readers see two things under one digest.
        raise _refusal(f"the manifest's media type {str(stated)[:100]!a} is not the one announced, or none of OCI's")
    if media_type in (OCI_INDEX, DOCKER_INDEX):
        if "layers" in body or "config" in body:
            raise _refusal("the manifest is both an index and an artifact")
        return Index(_descriptors(body.get("manifests"), "manifests"))
    if "manifests" in body:
        raise _refusal("the manifest is both an index and an artifact")
    config = _descriptor(body["config"], "config") if isinstance(body.get("config"), dict) else None
    subject = body.get("subject")
    return Manifest(
        _descriptors(body.get("layers"), "layers"),
        config,
        _texts(body.get("annotations")),
        subject.get("digest", "") if isinstance(subject, dict) else "",
    )


def choose_platform(index: Index) -> Descriptor:
    """The manifest to take of an index: the only one, the one without a platform, or Linux on amd64.

    Manifests of configuration are alike on all platforms, so any fixed choice will do. Raises SourceError.
    """
    usable = [each for each in index.manifests if each.media_type in (OCI_MANIFEST, DOCKER_MANIFEST)]
    real = [each for each in usable if each.platform != ("unknown", "unknown")]
    if len(real) == 1:
        return real[0]
    for wanted in (("", ""), _PLATFORM):
        for each in real:
            if each.platform == wanted:
                return each
    raise _refusal(
        "the index lists no manifest for any platform or for linux/amd64", "push an artifact without platforms"
    )


def choose_layer(manifest: Manifest, media_type: str) -> Descriptor:
    """The first layer of a media type; without one the first layer. Raises SourceError (reason LayerNotFound)."""
    for layer in manifest.layers:
        if media_type in ("", layer.media_type):
            return layer
    there = ", ".join(sorted({layer.media_type for layer in manifest.layers})[:10]) or "none"
    message = f"the artifact has no layer of media type {media_type}" if media_type else "the artifact has no layers"
    remedy = f"set spec.layerSelector.mediaType to one that it has ({there})"
    raise SourceError(Problem(message, reason="LayerNotFound", remedy=remedy, retry=True))


def _descriptors(found: Any, field_name: str) -> tuple[Descriptor, ...]:
    if not isinstance(found, list):
        raise _refusal(f"the manifest has no {field_name}")
    if len(found) > MAX_DESCRIPTORS:
        raise _refusal(f"the manifest has more than {MAX_DESCRIPTORS} {field_name}")
    return tuple(_descriptor(each, field_name) for each in found)


def _descriptor(body: Any, field_name: str) -> Descriptor:
    size = body.get("size") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _refusal(f"a descriptor of {field_name} is malformed")
    digest, media_type = body.get("digest"), body.get("mediaType")
    if not is_digest(digest) or not isinstance(media_type, str):
        raise _refusal(f"a descriptor of {field_name} has no media type or no SHA-256 digest")
    platform = body.get("platform")
    where = _texts(platform)
    kind = body.get("artifactType")
    return Descriptor(
        media_type,
        str(digest),
        size,
        _texts(body.get("annotations")),
        (where.get("os", ""), where.get("architecture", "")),
        kind if isinstance(kind, str) else "",
    )


def _texts(found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _refusal(message: str, remedy: str = "push the artifact again with a current client") -> SourceError:
    return SourceError(Problem(message, reason="ManifestRefused", remedy=remedy, retry=True))
