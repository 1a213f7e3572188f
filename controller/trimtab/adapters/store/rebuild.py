"""A lost inventory, found again by the marks on live objects.

The owner of the lost inventory flows in, entries of all objects that carry its mark and our Apply entry flow out. The
loop calls it when the store says that a shard is missing.
"""

import asyncio
import logging
from typing import Any, Final

from trimtab.adapters.kube.discovery import Catalogue, Discovery
from trimtab.core.api_error import ApiError
from trimtab.core.fields.managed import our_tree
from trimtab.core.inventory import Entry, Intended
from trimtab.core.refs import ObjectRef, ResourceType, split_api_version
from trimtab.plan.ownership import Owner, proven
from trimtab.reconcile.ports import Objects

log = logging.getLogger(__name__)

_GONE_OR_UNLISTABLE: Final = (404, 405)


class InventoryRebuilder:
    """Looks through all types that can be listed; `selector` finds what this installation manages."""

    def __init__(self, objects: Objects, discovery: Discovery, selector: str) -> None:
        self._objects = objects
        self._discovery = discovery
        self._selector = selector

    async def rebuild(self, owner: Owner) -> dict[ObjectRef, Entry]:
        """Entries as Intended, so that each is verified before it is pruned. Raises ApiError where a list fails.

        Objects of types that we may not list, or whose own API server is away, are not found: they are never pruned,
        and a warning names their type.
        """
        catalogue = await self._discovery.catalogue(fresh=True)
        for version in sorted(catalogue.stale):
            log.warning("the inventory of %s is rebuilt without %s, whose server is away", owner.title, version)
        looks = await asyncio.gather(
            *(self._look(kind, owner) for kind in appliable(catalogue)), return_exceptions=True
        )
        entries: dict[ObjectRef, Entry] = {}
        for found in looks:
            if isinstance(found, BaseException):
                raise found
            entries.update(found)
        return entries

    async def _look(self, kind: ResourceType, owner: Owner) -> dict[ObjectRef, Entry]:
        try:
            bodies = await self._objects.list_metadata(kind, "", selector=self._selector)
        except ApiError as error:
            if error.status in _GONE_OR_UNLISTABLE:
                return {}
            if error.status == 403:
                log.warning("the inventory of %s is rebuilt without %s: %s", owner.title, kind.plural, error)
                return {}
            raise
        return {ObjectRef.of(body): Intended(_applied_version(body)) for body in bodies if proven(body, owner)}


def appliable(catalogue: Catalogue) -> list[ResourceType]:
    """One served version of each type that can be listed and applied."""
    kinds: dict[tuple[str, str], ResourceType] = {}
    for served in catalogue.types.values():
        if {"list", "patch"} <= served.verbs:
            kinds.setdefault((served.kind.group, served.kind.kind), served.kind)
    return sorted(kinds.values())


def _applied_version(body: dict[str, Any]) -> str:
    """The version in which we applied the object."""
    entry = our_tree(body)
    return split_api_version(entry[0] if entry else body["apiVersion"])[1]
