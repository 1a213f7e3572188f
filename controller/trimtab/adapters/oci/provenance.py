"""Finds the provenance of a chart in a registry: a layer beside the chart's own.

A registry and what was found there flow in, a `Signed` or `NotVerified` flows out; `sources` calls it before the chart
is fetched.
"""

from dataclasses import dataclass

from trimtab.adapters.charts.provenance import Signed, signed
from trimtab.adapters.oci.registry import Registry
from trimtab.reconcile.ports.verifier import TextVerifier
from trimtab.source.oci_manifest import CHART_LAYER, PROVENANCE_LAYER, Descriptor, Manifest
from trimtab.source.provenance import MAX_BYTES, missing
from trimtab.source.signed_object import refusal
from trimtab.source.trusted_keys import TrustedKeys
from trimtab.source.versions import Version


@dataclass(frozen=True, slots=True)
class ChartWanted:
    """What was asked for, and what stands there. `tag` is empty where a digest was asked for."""

    name: str
    tag: str
    manifest: Manifest
    layer: Descriptor


async def signed_chart(registry: Registry, wanted: ChartWanted, keys: TrustedKeys, verifier: TextVerifier) -> Signed:
    """The provenance of the chart. Raises NotVerified where it is none of this chart, by one of the keys."""
    if wanted.layer.media_type != CHART_LAYER:
        remedy = "set verify.provider to cosign, or layerSelector.mediaType to the chart's"
        raise refusal("the artifact is no chart, and only charts have a provenance", remedy)
    layer = next((each for each in wanted.manifest.layers if each.media_type == PROVENANCE_LAYER), None)
    if layer is None:
        raise missing(f"chart {wanted.name} {wanted.tag}".strip())
    if layer.size > MAX_BYTES:
        raise refusal(f"the provenance is larger than {MAX_BYTES} bytes", "package and sign the chart anew")
    found = await signed(await registry.small_blob(layer, limit=MAX_BYTES), keys, verifier)
    found.check(wanted.layer.digest, name=wanted.name, version=version_of(wanted.tag))
    return found


def version_of(tag: str) -> str:
    """The version that a tag names; empty for one that follows whatever comes, like latest or 1.2."""
    version = tag.replace("_", "+")
    try:
        numbers = ".".join(map(str, Version.parse(version).numbers))
    except ValueError:
        return ""
    return version if version.removeprefix("v").startswith(numbers) else ""
