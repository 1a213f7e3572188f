"""Sights for the planner: from the observer where the watches know, from lists and GETs where they do not.

A first sync asks once per type and namespace instead of once per object; in a namespace that was just made or is
absent, nothing is asked at all.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from trimtab.core.api_error import ApiError
from trimtab.core.observed import Absent, Live, Unknown
from trimtab.core.refs import ObjectRef
from trimtab.plan.ownership import has_apply_entry, owner_of
from trimtab.plan.sight import Foreign, Missing, Owned, Sight, Unsure
from trimtab.reconcile.observer import Observer, Sighting
from trimtab.reconcile.parallel import gather_bounded
from trimtab.reconcile.ports import Objects

LIST_FROM = 3
"""From so many unknown objects of a type in a namespace, one list is cheaper than GETs."""
IN_FLIGHT = 16


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Finds out what is known of objects; `mark` is the owner annotation's text of the asking Application."""

    objects: Objects
    observer: Observer

    async def look(self, versions: Mapping[ObjectRef, str], mark: str) -> dict[ObjectRef, Sight]:
        """The sight of every object of `versions` (object → API version to ask for)."""
        namespaces = {ref: version for ref, version in versions.items() if (ref.group, ref.kind) == ("", "Namespace")}
        sights = await self._look(namespaces, mark, empty_namespaces=())
        missing = {ref.name for ref, sight in sights.items() if isinstance(sight, Missing)}
        rest = {ref: version for ref, version in versions.items() if ref not in namespaces}
        return sights | await self._look(rest, mark, empty_namespaces=missing)

    async def _look(
        self, versions: Mapping[ObjectRef, str], mark: str, *, empty_namespaces: Collection[str]
    ) -> dict[ObjectRef, Sight]:
        sights: dict[ObjectRef, Sight] = {}
        unknown: list[ObjectRef] = []
        for ref in versions:
            sighting = self.observer.sighting(ref)
            # Marks without our Apply entry (and so without a digest) may be copied: the whole object has to tell.
            marked = sighting is not None and sighting.owner == mark and sighting.digest is not None
            if sighting is not None and marked and sighting.watched and not self.observer.unexplained(ref):
                sights[ref] = _owned(sighting)
            elif ref.namespace and ref.namespace in empty_namespaces:
                sights[ref] = Missing()
            else:
                unknown.append(ref)
        for found in await gather_bounded(self._batches(unknown, versions, mark), IN_FLIGHT):
            sights.update(found)
        return sights

    def _batches(self, unknown: Iterable[ObjectRef], versions: Mapping[ObjectRef, str], mark: str) -> "list[_Batch]":
        groups: dict[tuple[str, str, str, str], list[ObjectRef]] = defaultdict(list)
        for ref in unknown:
            groups[ref.group, ref.kind, versions[ref], ref.namespace].append(ref)
        return [
            _Batch(self, tuple(refs), version, namespace, mark) for (_, _, version, namespace), refs in groups.items()
        ]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Objects of one type and namespace of which nothing is known."""

    surveyor: Surveyor
    refs: tuple[ObjectRef, ...]
    version: str
    namespace: str
    mark: str

    async def __call__(self) -> dict[ObjectRef, Sight]:
        try:
            kind = await self.surveyor.objects.served(self.refs[0].group, self.version, self.refs[0].kind)
            if kind is None:
                return dict.fromkeys(self.refs, Missing())
            if len(self.refs) < LIST_FROM:
                return {ref: await self._get(ref) for ref in self.refs}
            listed = await self.surveyor.objects.list_metadata(kind, self.namespace)
        except ApiError as error:
            return dict.fromkeys(self.refs, Unsure(str(error)))
        there = {ObjectRef.of(body): body for body in listed}
        present = {ref for ref in self.refs if ref in there}
        sights: dict[ObjectRef, Sight] = dict.fromkeys(self.refs, Missing())
        for ref in present:
            # The list shows metadata only: one of ours, stripped of its marks or not, needs the whole for its baseline.
            named = owner_of(there[ref]) is not None and str(owner_of(there[ref])) == self.mark
            ours = named or self.surveyor.observer.expects(ref)
            sights[ref] = await self._get(ref) if ours else Foreign(Live(there[ref]))
        for ref in set(self.refs) - present:
            self.surveyor.observer.settle_absent(ref)
        return sights

    async def _get(self, ref: ObjectRef) -> Sight:
        observer = self.surveyor.observer
        match await self.surveyor.objects.get(ref, self.version):
            case Absent():
                observer.settle_absent(ref)
                return Missing()
            case Unknown(reason=reason):
                return Unsure(reason)
            case Live(body=body) as live:
                observer.saw(ref, body)
                sighting = observer.sighting(ref)
                owner = owner_of(body)
                ours = owner is not None and str(owner) == self.mark and has_apply_entry(body)
                return _owned(sighting) if sighting and ours else Foreign(live)


def _owned(sighting: Sighting) -> Owned:
    return Owned(sighting.uid, sighting.digest or "", sighting.resource_version, keep=sighting.keep)
