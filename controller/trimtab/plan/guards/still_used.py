"""A Namespace or CustomResourceDefinition is not pruned while something declared, kept or held by others needs it.

Deleting either deletes all that lives in it, whoever made that.
"""

from collections.abc import Iterable

from trimtab.core.refs import ObjectRef
from trimtab.plan.guards.verdict import LetGo, Prune
from trimtab.plan.references import holds_others, lives_in


class StillUsed(LetGo):
    """Something that is to stay lives in it."""


def check_prune(prune: Prune, staying: Iterable[ObjectRef]) -> None:
    """Raises StillUsed where any of the objects that stay would be deleted along with this one."""
    if not holds_others(prune.ref):
        return
    for ref in staying:
        if lives_in(ref, prune.ref, prune.options.plurals):
            raise StillUsed(prune.ref, "other objects still need it")
