"""The end of an Application: what it owns is deleted or let go, then its Inventory and its finalizer.

The Application's reconciler calls it while a deletion is asked for, until it succeeds. Objects whose own finalizers
hold them do not hold the Application; a namespace or CRD of ours that is itself going away ends it without a prune.
"""

from dataclasses import dataclass

from trimtab.api.application import RESOURCE, Application
from trimtab.apply.results import Ending
from trimtab.core.names import FINALIZER
from trimtab.core.observed import Absent, Live
from trimtab.core.outcome import Outcome
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef
from trimtab.reconcile.heritage import Heritage
from trimtab.reconcile.narrator import Narrator
from trimtab.reconcile.ports import InventoryStore, Objects, OwnKinds
from trimtab.reconcile.queue import Key
from trimtab.reconcile.state import AppState
from trimtab.reconcile.sync import Synchroniser
from trimtab.report.application import Phase


@dataclass(slots=True, kw_only=True)
class Teardown:
    """Ends Applications."""

    objects: Objects
    own: OwnKinds
    store: InventoryStore
    heritage: Heritage
    synchroniser: Synchroniser
    narrator: Narrator
    controller_namespace: str

    async def run(self, key: Key, application: Application, state: AppState) -> Outcome:
        """One attempt; success means that the Application is released."""
        if FINALIZER not in application.metadata.finalizers:
            return Outcome.done()
        if await self._swept_away(key):
            return await self._release(key, state)
        await self.heritage.load(application, state)
        await self.narrator.tell(application, state, Phase.DELETING)
        neighbours = await self.heritage.neighbours(state, None)
        options = self.heritage.options(application, state, None, {}, self.controller_namespace, neighbours=neighbours)
        report = await self.synchroniser.tear_down(
            state,
            options,
            policy=application.spec.deletion_policy,
            timeout_seconds=application.spec.timeout_seconds,
        )
        await self.narrator.results(application, state, report)
        stuck = [result for result in report.results.values() if result.ending in (Ending.FAILED, Ending.BLOCKED)]
        if not stuck:
            return await self._release(key, state)
        state.problems = report.problems
        message = str(stuck[0].problem or f"{stuck[0].ref} could not be deleted")
        await self.narrator.tell(application, state, Phase.DELETING, message=message)
        return Outcome.failed(message)

    async def _swept_away(self, key: Key) -> bool:
        """Whether the Application's namespace or our CRD is being deleted: then nobody asked for a prune."""
        namespace = ObjectRef(LOCAL_CLUSTER, "", "Namespace", "", key.namespace)
        crd = ObjectRef(
            LOCAL_CLUSTER, "apiextensions.k8s.io", "CustomResourceDefinition", "", f"{RESOURCE.plural}.{RESOURCE.group}"
        )
        for ref in (namespace, crd):
            match await self.objects.get(ref, "v1"):
                case Absent():
                    return True
                case Live(body=body) if body["metadata"].get("deletionTimestamp"):
                    return True
        return False

    async def clear_up(self, key: Key, uid: str) -> None:
        """Remove the Inventory of an Application that went without us (its finalizer was taken off by force).

        Its objects stay: nobody asked us to delete them. Only an Application known to be absent, or to be another one
        by now, leaves an Inventory that is nobody's. Raises ApiError.
        """
        ref = ObjectRef(LOCAL_CLUSTER, RESOURCE.group, RESOURCE.kind, key.namespace, key.name)
        observed = await self.objects.get(ref, RESOURCE.version)
        if isinstance(observed, Absent) or (isinstance(observed, Live) and observed.uid != uid):
            await self.store.release(key.namespace, key.name, uid)

    async def _release(self, key: Key, state: AppState) -> Outcome:
        await self.store.release(key.namespace, key.name, state.owner.uid)
        await self.own.set_finalizer(RESOURCE, key.namespace, key.name, present=False)
        return Outcome.done()
