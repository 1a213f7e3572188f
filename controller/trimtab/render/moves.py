"""Pointers that follow what they point at when a target namespace moves it.

`qualify` calls it with the pairs of before and after. Bindings name ServiceAccounts by namespace, webhook
configurations, APIServices and CRD conversions name Services: kustomize's namespace transformer takes the same ones
along.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from trimtab.core.manifest import Manifest

Moves = frozenset[tuple[str, str, str]]
"""(kind, declared namespace, name) of the core objects that now live elsewhere; an undeclared namespace is empty."""

_UNDECLARED: Final = ("", "default")
_SERVICE_PATHS: Final = {
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): ("webhooks", "*", "clientConfig", "service"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): ("webhooks", "*", "clientConfig", "service"),
    ("apiregistration.k8s.io", "APIService"): ("spec", "service"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("spec", "conversion", "webhook", "clientConfig", "service"),
}
_BINDINGS: Final = frozenset(
    [("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding")]
)


def moves(pairs: Iterable[tuple[Manifest, Manifest]]) -> Moves:
    """Which ServiceAccounts and Services of the set changed their namespace, from (as declared, as qualified)."""
    return frozenset(
        (before.ref.kind, before.ref.namespace, before.ref.name)
        for before, after in pairs
        if before.ref.group == "" and before.ref.kind in ("ServiceAccount", "Service") and before.ref != after.ref
    )


def follow(manifest: Manifest, moved: Moves, namespace: str) -> Manifest:
    """The manifest with its pointers at moved objects turned to `namespace`; itself where it has none."""
    kind = (manifest.ref.group, manifest.ref.kind)
    if kind in _BINDINGS:
        path: tuple[str, ...] = ("subjects", "*")
    elif kind in _SERVICE_PATHS:
        path = _SERVICE_PATHS[kind]
    else:
        return manifest
    body = _rewritten(manifest.body, path, "ServiceAccount" if kind in _BINDINGS else "Service", moved, namespace)
    return manifest if body is manifest.body else replace(manifest, body=body)


def _rewritten(node: Any, path: tuple[str, ...], kind: str, moved: Moves, namespace: str) -> Any:
    """A copy of the node with the pointer at `path` turned; the node itself where nothing changes."""
    if not path:
        return _turned(node, kind, moved, namespace)
    step, rest = path[0], path[1:]
    if step == "*":
        if not isinstance(node, list):
            return node
        changed = [_rewritten(child, rest, kind, moved, namespace) for child in node]
        return node if all(new is old for new, old in zip(changed, node, strict=True)) else changed
    if not isinstance(node, dict) or step not in node:
        return node
    child = _rewritten(node[step], rest, kind, moved, namespace)
    return node if child is node[step] else {**node, step: child}


def _turned(pointer: Any, kind: str, moved: Moves, namespace: str) -> Any:
    if not isinstance(pointer, dict) or pointer.get("kind", kind) != kind:
        return pointer
    name, declared = pointer.get("name"), pointer.get("namespace") or ""
    follows = (kind, declared, name) in moved or (declared in _UNDECLARED and (kind, "", name) in moved)
    if not follows or declared == namespace:
        return pointer
    return {**pointer, "namespace": namespace}
