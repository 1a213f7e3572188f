"""Namespaces, once discovery is known: every manifest gets the identity that it will have in the cluster.

Manifests as read flow in with what the cluster serves; the same manifests with their final namespace flow out, and
apart from them those whose scope nobody knows yet. The loop calls it after rendering, and again when CRDs have been
applied.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Manifest
from trimtab.core.refs import split_api_version
from trimtab.render.moves import follow, moves
from trimtab.render.objects import duplicates

Namespaced = Callable[[str, str, str], bool | None]
"""Whether (group, version, kind) is namespaced; None where the cluster does not serve it."""


@dataclass(frozen=True, slots=True)
class Qualified:
    """`manifests` have their final identity; `unresolved` are of types that neither cluster nor CRDs of the set know.

    The unresolved ones are as they were declared: apply what is known (a CRD may be among it), then qualify again.
    """

    manifests: tuple[Manifest, ...]
    unresolved: tuple[Manifest, ...]


def qualify(
    manifests: Iterable[Manifest], *, target_namespace: str, default_namespace: str, namespaced: Namespaced
) -> Qualified:
    """Set namespaces: `target_namespace` overrides what was declared; empty, it leaves declared ones alone.

    Namespaced objects that declare none go to `default_namespace` (the Application's own); cluster-scoped ones lose a
    namespace they declare. Bindings, webhooks, APIServices and CRD conversions that point at a ServiceAccount or
    Service of the set follow it. Raises RenderError where two manifests become the same object.
    """
    declared = tuple(manifests)
    scopes = _declared_scopes(declared)
    found: list[tuple[Manifest, Manifest]] = []
    unresolved: list[Manifest] = []
    for manifest in declared:
        scope = _scope(manifest, namespaced, scopes)
        if scope is None:
            unresolved.append(manifest)
            continue
        namespace = (target_namespace or manifest.ref.namespace or default_namespace) if scope else ""
        found.append((manifest, _in_namespace(manifest, namespace)))
    known = tuple(after for _, after in found)
    if problems := duplicates(known):
        raise RenderError(*problems)
    if target_namespace:
        moved = moves(found)
        known = tuple(follow(manifest, moved, target_namespace) for manifest in known)
    return Qualified(known, tuple(unresolved))


def unserved(manifests: Iterable[Manifest]) -> list[Problem]:
    """What to tell of manifests that stay unresolved: their type is not served, which a CRD applied later may mend."""
    return [
        Problem(
            f"the cluster does not serve {manifest.api_version} {manifest.ref.kind}",
            ref=manifest.ref,
            origin=manifest.origin,
            remedy="install its CustomResourceDefinition, or correct apiVersion and kind",
            reason="KindNotServed",
            retry=True,
        )
        for manifest in manifests
    ]


def _declared_scopes(manifests: Iterable[Manifest]) -> dict[tuple[str, str], bool]:
    """(group, kind) → namespaced, of the CRDs in the set."""
    scopes = {}
    for manifest in manifests:
        if manifest.ref.kind == "CustomResourceDefinition" and manifest.ref.group == "apiextensions.k8s.io":
            spec = _mapping(manifest.body.get("spec"))
            kind = _mapping(spec.get("names")).get("kind")
            scopes[str(spec.get("group")), str(kind)] = spec.get("scope") == "Namespaced"
    return scopes


def _scope(manifest: Manifest, namespaced: Namespaced, scopes: dict[tuple[str, str], bool]) -> bool | None:
    group, version = split_api_version(manifest.api_version)
    served = namespaced(group, version, manifest.ref.kind)
    return scopes.get((group, manifest.ref.kind)) if served is None else served


def _in_namespace(manifest: Manifest, namespace: str) -> Manifest:
    metadata = manifest.body["metadata"]
    if (metadata.get("namespace") or "") == namespace and ("namespace" in metadata) == bool(namespace):
        return manifest
    changed = {key: value for key, value in metadata.items() if key != "namespace"}
    if namespace:
        changed["namespace"] = namespace
    return replace(
        manifest, ref=replace(manifest.ref, namespace=namespace), body={**manifest.body, "metadata": changed}
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
