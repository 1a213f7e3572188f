from typing import Any

import pytest
from tests.fakes.plan_objects import live, manifest

from trimtab.plan.guards.adoption import AdoptionRefused, check
from trimtab.plan.options import AdoptPolicy

MANIFEST = manifest("ConfigMap", "a")
MANAGED: dict[str, dict[str, Any]] = {
    "the controller ReplicaSet/web": {
        "ownerReferences": [{"kind": "Node", "name": "n"}, {"kind": "ReplicaSet", "name": "web", "controller": True}]
    },
    "a Flux Kustomization": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}},
    "a Flux HelmRelease": {"labels": {"helm.toolkit.fluxcd.io/name": "apps"}},
    "an Argo CD Application": {"annotations": {"argocd.argoproj.io/tracking-id": "x"}},
    "a Helm release": {"annotations": {"meta.helm.sh/release-name": "x"}},
    "an ApplySet": {"labels": {"applyset.kubernetes.io/part-of": "x"}},
}


@pytest.mark.parametrize(("manager", "metadata"), MANAGED.items(), ids=MANAGED)
def test_if_unowned_leaves_what_others_manage(manager, metadata):
    with pytest.raises(AdoptionRefused, match=f"is managed by {manager}"):
        check(MANIFEST, live("ConfigMap", "a", **metadata), AdoptPolicy.IF_UNOWNED)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"labels": {"app.kubernetes.io/managed-by": "Helm"}}, {"ownerReferences": [{"kind": "Node", "name": "n"}]}],
    ids=["plain", "a mere word", "owned but not controlled"],
)
def test_if_unowned_takes_what_nobody_manages(metadata):
    check(MANIFEST, live("ConfigMap", "a", **metadata), AdoptPolicy.IF_UNOWNED)


def test_never_takes_nothing():
    with pytest.raises(AdoptionRefused, match="exists already"):
        check(MANIFEST, live("ConfigMap", "a"), AdoptPolicy.NEVER)


def test_always_takes_everything():
    check(MANIFEST, live("ConfigMap", "a", **MANAGED["a Helm release"]), AdoptPolicy.ALWAYS)
