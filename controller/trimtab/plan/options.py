"""What the Application, its settings and its neighbours contribute to a plan.

The loop fills them in; `plan.build`, the guards and apply's steps read them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from trimtab.api.application import Adopt as AdoptPolicy
from trimtab.api.application import DriftMode
from trimtab.core.manifest import Manifest
from trimtab.core.names import DEFAULT_NAMESPACE
from trimtab.core.refs import ObjectRef
from trimtab.plan.ownership import Owner

__all__ = ["AdoptPolicy", "DriftMode", "PlanOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """All but desired state, inventory and sights.

    `declared_digests`: keyed digest of each desired manifest. `complete` False: something could not be read, rendered
    or looked up. `base_revision`: the revision applied last. `confirmed`: the value of `trimtab.dev/confirm`. `held`:
    what the inventories of other Applications hold, as far as they are loaded. `neighbours`: all that is stored of
    these, looked up only where a Namespace or CustomResourceDefinition might go. `created_namespace`: the one that
    createNamespace declares. `plurals`: plural by (group, kind) as discovery tells, as far as known. `previous`: an
    earlier revision's manifests with their digests, as far as they are at hand; one counts where its digest is the one
    that was applied last.
    """

    owner: Owner
    prune: bool
    complete: bool = True
    adopt: AdoptPolicy = AdoptPolicy.IF_UNOWNED
    drift: DriftMode = DriftMode.CORRECT
    declared_digests: Mapping[ObjectRef, str] = field(default_factory=dict)
    base_revision: str = ""
    confirmed: str = ""
    held: Mapping[ObjectRef, Owner] = field(default_factory=dict)
    neighbours: Collection[ObjectRef] = ()
    created_namespace: ObjectRef | None = None
    controller_namespace: str = DEFAULT_NAMESPACE
    plurals: Mapping[tuple[str, str], str] = field(default_factory=dict)
    previous: Mapping[ObjectRef, Manifest] = field(default_factory=dict)
    previous_digests: Mapping[ObjectRef, str] = field(default_factory=dict)
