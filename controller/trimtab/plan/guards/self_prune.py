"""Trimtab never saws off the branch it sits on: its CRDs, its namespaces, and the Application that is being applied."""

from trimtab.core.names import API_GROUP
from trimtab.plan.guards.verdict import LetGo, Prune
from trimtab.plan.references import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, is_kind


class SelfPrune(LetGo):
    """Trimtab needs the object to work at all."""


def check_prune(prune: Prune) -> None:
    """Raises SelfPrune for what Trimtab itself stands on."""
    ref, options = prune.ref, prune.options
    if is_kind(ref, CUSTOM_RESOURCE_DEFINITION) and ref.name.endswith(f".{API_GROUP}"):
        raise SelfPrune(ref, "Trimtab's own CustomResourceDefinition")
    if is_kind(ref, NAMESPACE) and ref.name in (options.controller_namespace, options.owner.namespace):
        raise SelfPrune(ref, "the namespace that Trimtab or the Application lives in")
    application = (API_GROUP, "Application", options.owner.namespace, options.owner.name)
    if (ref.group, ref.kind, ref.namespace, ref.name) == application:
        raise SelfPrune(ref, "the Application itself")
