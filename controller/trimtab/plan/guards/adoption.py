"""Objects that existed before are taken over only as `spec.adopt` allows.

IfUnowned (the default) takes what nobody manages: no controller above it, no mark of Flux, Argo CD, Helm, kapp or an
ApplySet. Always takes all; what another Trimtab Application holds is refused before, by `foreign_owner`.
"""

from typing import Any, Final

from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.manifest import Manifest
from trimtab.core.observed import Live
from trimtab.plan.options import AdoptPolicy
from trimtab.plan.ownership import annotations_of

_LABELS: Final = {
    "kustomize.toolkit.fluxcd.io/name": "a Flux Kustomization",
    "helm.toolkit.fluxcd.io/name": "a Flux HelmRelease",
    "argocd.argoproj.io/instance": "an Argo CD Application",
    "kapp.k14s.io/app": "kapp",
    "applyset.kubernetes.io/part-of": "an ApplySet",
}
_ANNOTATIONS: Final = {
    "argocd.argoproj.io/tracking-id": "an Argo CD Application",
    "meta.helm.sh/release-name": "a Helm release",
}


class AdoptionRefused(PlanRefused):
    """The object exists, and this Application may not take it over."""


def check(manifest: Manifest, live: Live, policy: AdoptPolicy) -> None:
    """Raises AdoptionRefused where the policy does not allow to take over the live object."""
    if policy is AdoptPolicy.ALWAYS:
        return
    if policy is AdoptPolicy.NEVER:
        raise AdoptionRefused(_problem(manifest, "exists already", "delete it, or set spec.adopt to IfUnowned"))
    manager = manager_of(live.body)
    if manager:
        text = f"exists already and is managed by {manager}"
        raise AdoptionRefused(
            _problem(manifest, text, "take it out of the other tool first, or set spec.adopt to Always")
        )


def manager_of(body: dict[str, Any]) -> str:
    """Which tool or controller manages a live object, as a phrase; empty where none is told."""
    metadata = body["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            return f"the controller {owner.get('kind')}/{owner.get('name')}"
    labels = metadata.get("labels") or {}
    annotations = annotations_of(body)
    marks = [title for key, title in _LABELS.items() if key in labels]
    marks += [title for key, title in _ANNOTATIONS.items() if key in annotations]
    return marks[0] if marks else ""


def _problem(manifest: Manifest, message: str, remedy: str) -> Problem:
    return Problem(message, ref=manifest.ref, origin=manifest.origin, remedy=remedy, reason="AdoptionRefused")
