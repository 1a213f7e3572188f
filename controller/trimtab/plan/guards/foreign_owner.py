"""An object that another Application holds stays with its holder; the newcomer alone is refused."""

from trimtab.core.errors import PlanRefused, Problem
from trimtab.core.inventory import Applied, Entry
from trimtab.core.manifest import Manifest
from trimtab.core.observed import Live
from trimtab.plan.guards.verdict import LetGo, Prune
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import Owner, held_by_other
from trimtab.plan.sight import Foreign


class HeldByOther(PlanRefused):
    """Two Applications declare one object."""


class BelongsToOther(LetGo):
    """The object that left Git is another Application's by now."""

    unmark = False


def check(manifest: Manifest, entry: Entry | None, live: Live | None, options: PlanOptions) -> None:
    """Raises HeldByOther where the object is another Application's. `live` None: absent, or with our own mark.

    What our inventory proves ours is not lost to a mere edit of the annotation: the other's inventory must agree.
    """
    named = held_by_other(live.body, options.owner) if live else None
    holder = options.held.get(manifest.ref)
    if isinstance(entry, Applied) and live is not None and live.uid == entry.uid:
        holder = holder if named is not None and holder is not None and holder.same_application(named) else None
    elif entry is None or named is not None:
        holder = named or holder
    else:
        holder = None
    if holder is not None:
        raise HeldByOther(_problem(manifest, holder, options.owner))


def check_prune(prune: Prune) -> None:
    """Raises BelongsToOther where the live object names another Application as its owner."""
    if not isinstance(prune.sight, Foreign):
        return
    holder = held_by_other(prune.sight.live.body, prune.options.owner)
    if holder is not None:
        raise BelongsToOther(prune.ref, "belongs to another Application by now")


def _problem(manifest: Manifest, holder: Owner, owner: Owner) -> Problem:
    """Names are shown within one namespace only."""
    title = holder.title if holder.namespace == owner.namespace else "of another namespace"
    return Problem(
        f"belongs to the Application {title}",
        ref=manifest.ref,
        origin=manifest.origin,
        remedy="declare it in one Application only; where the other no longer exists, remove the annotation "
        "trimtab.dev/owner from the object",
        reason="HeldByOther",
    )
