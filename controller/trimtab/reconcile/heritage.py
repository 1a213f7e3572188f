"""An Application's inventory at the start of a turn, and the plan options that follow from it.

Loaded once per process and Application; rebuilt from the marks of live objects when a shard is lost.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from trimtab.api.application import Application
from trimtab.core.inventory import Applied, Entry
from trimtab.core.names import API_GROUP
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType
from trimtab.plan.options import PlanOptions
from trimtab.plan.ownership import Owner
from trimtab.plan.references import holds_others
from trimtab.reconcile.observer import Observer
from trimtab.reconcile.ports import InventoryStore, Objects
from trimtab.reconcile.state import AppState, Desired

CONFIRM_ANNOTATION = f"{API_GROUP}/confirm"


class Rebuilder(Protocol):
    """Finds what an Application owns by the marks on live objects."""

    async def rebuild(self, owner: Owner) -> dict[ObjectRef, Entry]:
        """Entries of everything that carries the owner's mark and our Apply entry. Raises ApiError."""
        ...


class Heritage:
    """What an Application owns already."""

    def __init__(self, store: InventoryStore, rebuilder: Rebuilder, objects: Objects, observer: Observer) -> None:
        self._store = store
        self._rebuilder = rebuilder
        self._objects = objects
        self._observer = observer
        self._kinds: dict[tuple[str, str, str], ResourceType] = {}

    async def load(self, application: Application, state: AppState) -> None:
        """Fill `state.inventory` unless it is filled; a lost one is found again in the cluster. Raises ApiError."""
        if state.inventory is not None:
            return
        owner = state.owner
        entries = await self._store.load(owner.namespace, owner.name, owner.uid)
        count = application.status.inventory.objects if application.status.inventory else 0
        if entries is None or (not entries and count):
            entries = await self._rebuilder.rebuild(owner)
            await self._store.change(owner.namespace, owner.name, owner.uid, entries)
        state.inventory = dict(entries)
        for ref, entry in entries.items():
            expected = (entry.uid, entry.baseline) if isinstance(entry, Applied) else None
            self._observer.expect(ref, str(owner), expected)
        await self.learn_kinds(state)

    async def learn_kinds(self, state: AppState) -> None:
        """Look up the types of what is owned that are not known yet: a revision may bring types of its own.

        Raises ApiError.
        """
        for ref, entry in (state.inventory or {}).items():
            name = (ref.group, entry.version, ref.kind)
            if name not in self._kinds:
                kind = await self._objects.served(*name)
                if kind is not None:
                    self._kinds[name] = kind

    def kinds(self, state: AppState) -> frozenset[ResourceType]:
        """The types of what is owned, as far as they are served."""
        names = {(ref.group, entry.version, ref.kind) for ref, entry in (state.inventory or {}).items()}
        return frozenset(self._kinds[name] for name in names if name in self._kinds)

    async def neighbours(self, state: AppState, desired: Desired | None) -> frozenset[ObjectRef]:
        """What others hold, if anything that others may live in is to go. Raises ApiError: then nothing may go.

        Memory does not tell: of an Application that is suspended, or not looked at yet after a restart, it holds none.
        """
        declared = desired.manifests if desired else {}
        if not any(holds_others(ref) and ref not in declared for ref in state.inventory or ()):
            return frozenset()
        return await self._store.neighbours(state.owner.namespace, state.owner.uid)

    @staticmethod
    def options(
        application: Application,
        state: AppState,
        desired: Desired | None,
        held: Mapping[ObjectRef, Owner],
        controller_namespace: str,
        *,
        neighbours: Collection[ObjectRef] = (),
    ) -> PlanOptions:
        """What the Application and its neighbours contribute to a plan."""
        spec = application.spec
        created = None
        if spec.create_namespace and spec.target_namespace:
            created = ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", spec.target_namespace)
        return PlanOptions(
            owner=state.owner,
            prune=spec.prune,
            complete=desired is None or not desired.problems,
            adopt=spec.adopt,
            drift=spec.drift.mode,
            declared_digests=desired.digests if desired else {},
            base_revision=state.applied,
            confirmed=application.metadata.annotations.get(CONFIRM_ANNOTATION, ""),
            held=held,
            neighbours=neighbours,
            created_namespace=created,
            controller_namespace=controller_namespace,
            previous=state.previous.manifests if state.previous else {},
            previous_digests=state.previous.digests if state.previous else {},
            plurals={(kind.group, kind.kind): kind.plural for kind in state.kinds},
        )
