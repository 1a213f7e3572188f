"""A namespace made by createNamespace is never pruned: others may have moved in since."""

from trimtab.plan.guards.verdict import LetGo, Prune


class CreatedNamespace(LetGo):
    """The namespace was made on request."""


def check_prune(prune: Prune) -> None:
    """Raises CreatedNamespace for the namespace that createNamespace declares.

    One that it declared earlier carries `trimtab.dev/prune: disabled` and is kept by that rule.
    """
    if prune.ref == prune.options.created_namespace:
        raise CreatedNamespace(prune.ref, "made by createNamespace")
