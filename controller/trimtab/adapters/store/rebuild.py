"""A lost inventory, found again by the marks on live objects.

The owner of the lost inventory flows in, entries of all objects that carry its mark and our Apply entry flow out.
"""

from collections.abc import Sequence

from trimtab.adapters.kube.discovery import Catalogue, Discovery
from trimtab.core.api_error import ApiError
from trimtab.core.inventory import Entry, Intended
from trimtab.core.refs import ObjectRef, ResourceType
from trimtab.plan.ownership import Owner, proven
from trimtab.reconcile.parallel import gather_bounded
from trimtab.reconcile.ports import Objects

IN_FLIGHT = 8


class InventoryRebuilder:
    """Looks through all listable types; `selector` finds what this installation manages."""

    def __init__(self, objects: Objects, discovery: Discovery, selector: str) -> None:
        self._objects = objects
        self._discovery = discovery
        self._selector = selector

    async def rebuild(self, owner: Owner) -> dict[ObjectRef, Entry]:
        """Entries as Intended, which a prune verifies object by object. Raises ApiError where a type cannot be listed.

        A type that cannot be read could hold objects of ours: to go on without it would orphan them.
        """
        kinds = _listable(await self._discovery.catalogue())
        parts = await gather_bounded([_Look(self, kind, owner) for kind in kinds], IN_FLIGHT)
        return {ref: entry for part in parts for ref, entry in part.items()}

    async def look(self, kind: ResourceType, owner: Owner) -> dict[ObjectRef, Entry]:
        """The owner's objects of one type."""
        try:
            listed: Sequence[dict[str, object]] = await self._objects.list_metadata(kind, "", selector=self._selector)
        except ApiError as error:
            if error.not_found or error.status == 405:  # went away meanwhile, or cannot be listed
                return {}
            raise
        return {ObjectRef.of(body): Intended(kind.version) for body in listed if proven(body, owner)}


def _listable(catalogue: Catalogue) -> list[ResourceType]:
    """One served version of each type that can be listed."""
    kinds: dict[tuple[str, str], ResourceType] = {}
    for served in catalogue.types.values():
        if "list" in served.verbs and "patch" in served.verbs:
            kinds.setdefault((served.kind.group, served.kind.kind), served.kind)
    return sorted(kinds.values())


class _Look:
    def __init__(self, rebuilder: InventoryRebuilder, kind: ResourceType, owner: Owner) -> None:
        self._rebuilder, self._kind, self._owner = rebuilder, kind, owner

    async def __call__(self) -> dict[ObjectRef, Entry]:
        return await self._rebuilder.look(self._kind, self._owner)
