"""`trimtab.dev/prune: disabled` on a live object keeps it in the cluster when it leaves Git."""

from trimtab.core.names import PRUNE_ANNOTATION
from trimtab.plan.guards.verdict import LetGo, Prune
from trimtab.plan.ownership import stays
from trimtab.plan.sight import Foreign, Owned


class PruneDisabled(LetGo):
    """The object asks to be kept."""


def check_prune(prune: Prune) -> None:
    """Raises PruneDisabled where what was seen of the object asks to be kept."""
    match prune.sight:
        case Owned(keep=True):
            raise PruneDisabled(prune.ref, f"{PRUNE_ANNOTATION}: disabled")
        case Foreign(live=live):
            if stays(live.body):
                raise PruneDisabled(prune.ref, f"{PRUNE_ANNOTATION}: disabled")
        case _:
            return
