"""Unknown is not absent: what is not known is neither created nor pruned."""

from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.manifest import Manifest
from trimtab.plan.guards.verdict import KeepTracked, Prune
from trimtab.plan.sight import Unsure


class NotKnown(PlanRefused):
    """Whether the declared object exists, and whose it is, is not known."""


class NotKnownToPrune(KeepTracked):
    """Whether the object that left Git is there, and still the same, is not known."""


def check(manifest: Manifest, sight: Unsure) -> None:
    """Raises NotKnown, always: the caller has seen that the sight is Unsure."""
    raise NotKnown(
        Problem(
            f"not applied, because its state is not known: {sight.reason}",
            ref=manifest.ref,
            origin=manifest.origin,
            reason="Unknown",
            retry=True,
        )
    )


def check_prune(prune: Prune) -> None:
    """Raises NotKnownToPrune where the sight is Unsure."""
    if isinstance(prune.sight, Unsure):
        text = f"not pruned, because its state is not known: {prune.sight.reason}"
        raise NotKnownToPrune(Problem(text, ref=prune.ref, reason="Unknown", retry=True))
