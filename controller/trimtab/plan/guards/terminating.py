"""An object that is on its way out is not taken over: it would vanish with what was applied to it."""

from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.manifest import Manifest
from trimtab.core.observed import Live


class BeingDeleted(PlanRefused):
    """The object to adopt carries a deletionTimestamp."""


def check(manifest: Manifest, live: Live) -> None:
    """Raises BeingDeleted where the live object is being deleted."""
    metadata = live.body["metadata"]
    if not metadata.get("deletionTimestamp"):
        return
    held = ", ".join(metadata.get("finalizers") or ())
    raise BeingDeleted(
        Problem(
            "an object of this name is being deleted" + (f" and held by the finalizers {held}" if held else ""),
            ref=manifest.ref,
            origin=manifest.origin,
            remedy="it is created as soon as the old one is gone",
            reason="Terminating",
            retry=True,
        )
    )
