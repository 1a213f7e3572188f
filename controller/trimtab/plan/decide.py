"""One declared object, its inventory entry and what is known of it: what is to be done. A ladder; each rung a reason.

`plan.build` asks it for every object, apply's steps ask it again where an object turns out different than was seen.
"""

from trimtab.api.application import DriftMode
from trimtab.core.fields.path import MISSING, resolve
from trimtab.core.inventory import Applied, Entry
from trimtab.core.manifest import Manifest
from trimtab.core.names import DRIFT_ANNOTATION
from trimtab.core.observed import Live
from trimtab.plan.changes import Adopt, Create, Held, Unchanged, Update
from trimtab.plan.claim import REPLICAS
from trimtab.plan.guards import adoption, foreign_owner, terminating, unsure
from trimtab.plan.options import PlanOptions
from trimtab.plan.references import scalable
from trimtab.plan.sight import Foreign, Missing, Owned, Sight, Unsure

Decision = Create | Update | Adopt | Unchanged | Held


def decide(manifest: Manifest, entry: Entry | None, sight: Sight, options: PlanOptions) -> Decision | None:
    """What to do with a declared object; None where there is nothing to do and nothing to track.

    Raises PlanRefused (NotKnown, HeldByOther, AdoptionRefused, BeingDeleted) where a guard forbids to touch it.
    """
    if isinstance(sight, Unsure):
        unsure.check(manifest, sight)
    foreign_owner.check(manifest, entry, sight.live if isinstance(sight, Foreign) else None, options)
    if _only_drifted(manifest, entry, sight, options):
        return Held(manifest)
    match sight:
        case Owned():
            same = isinstance(entry, Applied) and (entry.uid, entry.baseline) == (sight.uid, sight.baseline)
            if same and _declared_same(manifest, entry, options):
                return Unchanged(manifest)
            return _update(manifest, entry, sight.uid, options, touched=not same)
        case Foreign(live=live):
            return _foreign(manifest, entry, live, options)
        case _:
            return Create(manifest, entry)


def _foreign(manifest: Manifest, entry: Entry | None, live: Live, options: PlanOptions) -> Decision | None:
    # The inventory and the UID prove it ours, whatever became of its marks.
    if isinstance(entry, Applied) and entry.uid == live.uid:
        return _update(manifest, entry, live.uid, options, touched=True)
    # createNamespace asks for the namespace to be there, not for it to be ours.
    if manifest.ref == options.created_namespace:
        return None
    terminating.check(manifest, live)
    adoption.check(manifest, live, options.adopt)
    return Adopt(manifest, live, entry)


def _update(manifest: Manifest, entry: Entry | None, uid: str, options: PlanOptions, *, touched: bool) -> Update:
    """`touched`: somebody wrote what we own, so that fields to be dropped may be theirs by now."""
    if _declared_same(manifest, entry, options):
        return Update(manifest, entry, uid)
    previous = _last_applied(manifest, entry, options)
    replicas_were = previous is None or resolve(previous.body, REPLICAS) is not MISSING
    drops_replicas = scalable(manifest.ref) and replicas_were and resolve(manifest.body, REPLICAS) is MISSING
    look = drops_replicas or (touched and previous is not None)
    return Update(manifest, entry, uid, look=look, previous=previous if touched else None)


def drift_mode(manifest: Manifest, options: PlanOptions) -> DriftMode:
    """The object's own mode (annotation `trimtab.dev/drift`), else the Application's."""
    stated = manifest.annotations.get(DRIFT_ANNOTATION, "")
    return DriftMode(stated) if stated in set(DriftMode) else options.drift


def _last_applied(manifest: Manifest, entry: Entry | None, options: PlanOptions) -> Manifest | None:
    """The manifest that was applied last, where it is at hand: a revision may have failed half-way in between."""
    digest = options.previous_digests.get(manifest.ref)
    known = digest is not None and isinstance(entry, Applied) and entry.declared == digest
    return options.previous.get(manifest.ref) if known else None


def _declared_same(manifest: Manifest, entry: Entry | None, options: PlanOptions) -> bool:
    return isinstance(entry, Applied) and entry.declared == options.declared_digests.get(manifest.ref)


def _only_drifted(manifest: Manifest, entry: Entry | None, sight: Sight, options: PlanOptions) -> bool:
    """Whether Git asks for nothing new, the cluster differs, and the mode forbids to put it right."""
    if drift_mode(manifest, options) is DriftMode.CORRECT or not _declared_same(manifest, entry, options):
        return False
    assert isinstance(entry, Applied)
    match sight:
        case Owned(uid=uid, baseline=baseline):
            return (uid, baseline) != (entry.uid, entry.baseline)
        case _:
            # Gone, stripped of its marks, or deleted and made anew by somebody: drift of the object as a whole.
            return isinstance(sight, Missing | Foreign)
