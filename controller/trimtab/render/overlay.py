"""`spec.kustomize` put into a kustomization, as its author would have written it there.

The closure walk and the renderer's adapter call it. Like Flux and Argo CD it changes the path's own kustomization
instead of building another one around it: so patches see names before the prefix, and what is said there is said once.
"""

from typing import Any

from trimtab.api.kustomize import KustomizeSpec


def overlaid(content: dict[str, Any], spec: KustomizeSpec) -> dict[str, Any]:
    """The content of a kustomization file with what the spec adds or replaces."""
    result = dict(content)
    if spec.name_prefix is not None:
        result["namePrefix"] = spec.name_prefix
    if spec.name_suffix is not None:
        result["nameSuffix"] = spec.name_suffix
    if spec.patches:
        result["patches"] = [*_list(content.get("patches")), *(patch.to_body() for patch in spec.patches)]
    if spec.components:
        result["components"] = [*_list(content.get("components")), *spec.components]
    for field in ("images", "replicas"):
        if wanted := [each.to_body() for each in getattr(spec, field)]:
            result[field] = _by_name(_list(content.get(field)), wanted)
    return result


def generated(resources: list[str]) -> dict[str, Any]:
    """The kustomization of a plain folder: a list of its files and of the kustomizations in it."""
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}


def builds(spec: KustomizeSpec | None) -> bool:
    """Whether the spec asks for anything that kustomize does; common metadata are set without it."""
    return spec is not None and bool(
        spec.name_prefix is not None
        or spec.name_suffix is not None
        or spec.patches
        or spec.components
        or spec.images
        or spec.replicas
    )


def _by_name(present: list[Any], wanted: list[dict[str, Any]]) -> list[Any]:
    """Entries in their places, those with a wanted name replaced, new ones at the end."""
    by_name = {each["name"]: each for each in wanted}
    kept = [by_name.pop(_name(each), each) for each in present]
    return [*kept, *by_name.values()]


def _name(entry: Any) -> Any:
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
