"""Specs as users write them."""

from tests.fixtures.oci_registry import Registry

from trimtab.api.oci_repository import OciRepositorySpec


def spec_of(registry: Registry, name: str = "app", **spec: object) -> OciRepositorySpec:
    """A spec as users write it."""
    insecure = registry.url.startswith("http:")
    body = {"url": f"oci://{registry.host}/{name}", "insecure": insecure, "timeout": "10s", **spec}
    return OciRepositorySpec.model_validate(body)
