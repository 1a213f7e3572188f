"""The digest by which a person confirms or approves a plan: desired state, base revision and guards in, hex out.

It says nothing of the cluster's answers, so that it is the same until Git or the Application changes.
"""

from collections.abc import Iterable
from hashlib import sha256

from trimtab.core.refs import ObjectRef
from trimtab.plan.options import PlanOptions


def plan_digest(declared: Iterable[ObjectRef], options: PlanOptions) -> str:
    """The first 16 hex digits of SHA-256 over the declared objects with their digests, base revision and rules."""
    rules = (str(options.owner), options.base_revision, str(options.prune), options.adopt.value, str(options.complete))
    lines = [*rules, *sorted(f"{ref.key} {options.declared_digests.get(ref, '')}" for ref in declared)]
    return sha256("\n".join(lines).encode()).hexdigest()[:16]
