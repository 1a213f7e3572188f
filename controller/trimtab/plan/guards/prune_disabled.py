"""`trimtab.dev/prune: disabled` on a live object keeps it in the cluster when it leaves Git."""

from typing import Any

from trimtab.core.names import PRUNE_ANNOTATION
from trimtab.core.observed import Live
from trimtab.plan.guards.verdict import LetGo, Prune
from trimtab.plan.ownership import annotations_of
from trimtab.plan.sight import Foreign, Owned


class PruneDisabled(LetGo):
    """The object asks to be kept."""


def disabled(body: dict[str, Any]) -> bool:
    """Whether a manifest or live object asks to be kept."""
    return annotations_of(body).get(PRUNE_ANNOTATION) == "disabled"


def check_prune(prune: Prune) -> None:
    """Raises PruneDisabled where what was seen of the object asks to be kept."""
    match prune.sight:
        case Owned(keep=True):
            raise PruneDisabled(prune.ref, f"{PRUNE_ANNOTATION}: disabled")
        case Foreign(live=live):
            check_live(prune, live)
        case _:
            return


def check_live(prune: Prune, live: Live) -> None:
    """Raises PruneDisabled where the live object asks to be kept."""
    if disabled(live.body):
        raise PruneDisabled(prune.ref, f"{PRUNE_ANNOTATION}: disabled")
