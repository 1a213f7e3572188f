"""What is known of managed objects without asking: the watches' events, gated against our own applies.

Watch events flow in; sights for the planner and wake-ups for Applications flow out. Bodies are kept only while an
object is under suspicion, so memory follows what is wrong and not what exists.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from trimtab.core.names import BUCKET_LABEL, OWNER_ANNOTATION, PRUNE_ANNOTATION
from trimtab.core.refs import ObjectRef, ResourceType
from trimtab.drift.baseline import baseline
from trimtab.health.assess import assess
from trimtab.health.status import Health
from trimtab.reconcile.ports import Clock, Seen, Synced, Vanished, WatchEvent, WatchTrouble

Wake = Callable[[str, ObjectRef | None], None]


def _sleep_on(_owner: str, _ref: ObjectRef | None) -> None:
    """Nobody wants to be woken yet."""


REMEMBERED_DIGESTS = 256
"""As many as answers may be under way between their arrival and their entry in the inventory."""


@dataclass(slots=True)
class Sighting:
    """The last trustworthy state of one object. `body` is held only while it differs from what is expected."""

    uid: str
    resource_version: str
    digest: str | None
    health: Health
    owner: str
    watched: bool = True
    """Whether it carries the label that the watches select on."""
    keep: bool = False
    """Whether it carries `trimtab.dev/prune: disabled`."""
    body: dict[str, Any] | None = None
    changed_at: float = 0.0
    """When it was seen to differ, seconds since the epoch; 0 while it does not."""


@dataclass(slots=True)
class _Held:
    """Events of an object wait here while an apply of it is in flight."""

    applies: int = 0
    latest: WatchEvent | None = None


class Observer:
    """The gate of the watches.

    `wake(owner, ref)` is called with the owner annotation's text when a look is due: at the object, if one is named,
    or else at health. Whoever wants to be woken sets it.
    """

    def __init__(self, *, key: bytes, clock: Clock) -> None:
        self.wake: Wake = _sleep_on
        self._key = key
        self._clock = clock
        self._sightings: dict[ObjectRef, Sighting] = {}
        self._expected: dict[ObjectRef, tuple[str, str]] = {}
        self._owners: dict[ObjectRef, str] = {}
        self._unsure: dict[ObjectRef, str] = {}
        self._held: dict[ObjectRef, _Held] = {}
        self._digests: dict[tuple[str, str, str | None], str | None] = {}
        """By uid, resourceVersion and apiVersion, the latest ones."""
        self._trouble: dict[ResourceType, str] = {}
        self._synced: dict[ResourceType, asyncio.Event] = {}

    def sink(self, event: WatchEvent) -> None:
        """Take one watch event; called in order, on the event loop."""
        match event:
            case Seen(body=body) | Vanished(body=body):
                held = self._held.get(ObjectRef.of(body))
                if held:
                    held.latest = event
                else:
                    self._take(event)
            case Synced(kind=kind, keys=keys):
                if self._trouble.pop(kind, None):
                    self._wake_owners(kind)
                self._miss_unseen(kind, keys)
                self._sync_mark(kind).set()
            case WatchTrouble(kind=kind, reason=reason):
                self._trouble[kind] = reason
                self._wake_owners(kind)
                self._sync_mark(kind).set()

    def _take(self, event: Seen | Vanished) -> None:
        ref = ObjectRef.of(event.body)
        if isinstance(event, Vanished):
            self._doubt(ref, "the watch lost sight of it")
        else:
            self.saw(ref, event.body)

    def saw(self, ref: ObjectRef, body: dict[str, Any]) -> None:
        """Learn an object's state from an event or an answer; older states than the known one are dropped."""
        metadata = body["metadata"]
        known = self._sightings.get(ref)
        version = str(metadata["resourceVersion"])
        if known and known.uid == metadata["uid"] and _older(version, known.resource_version):
            wanted = ref in self._unsure or (self._differs(ref, known) and known.body is None)
            if version != known.resource_version or not wanted:
                return
        annotations = metadata.get("annotations") or {}
        owner = annotations.get(OWNER_ANNOTATION, "")
        digest = self.digest(body)
        keep = annotations.get(PRUNE_ANNOTATION) == "disabled"
        sighting = Sighting(metadata["uid"], version, digest, assess(body), owner, watched(body), keep)
        was_unsure = self._unsure.pop(ref, None)
        self._sightings[ref] = sighting
        expected = self._expected.get(ref)
        holder = self._owners.get(ref, owner)
        if expected is None:
            if known is None and holder:
                self.wake(holder, None)
            return
        if expected != (sighting.uid, digest):
            sighting.body = body
            sighting.changed_at = known.changed_at if known and known.changed_at else self._clock.now()
            self.wake(holder, ref)
        elif was_unsure or (known and known.body is not None):
            self.wake(holder, ref)
        elif known is None or known.health != sighting.health:
            self.wake(holder, None)

    def digest(self, body: dict[str, Any]) -> str | None:
        """The baseline of a live object, made once although gate, sighting and inventory ask for that of an answer."""
        metadata = body["metadata"]
        state = (metadata["uid"], metadata["resourceVersion"], body.get("apiVersion"))
        if state not in self._digests:
            if len(self._digests) >= REMEMBERED_DIGESTS:
                del self._digests[next(iter(self._digests))]
            self._digests[state] = baseline(body, key=self._key)
        return self._digests[state]

    def _doubt(self, ref: ObjectRef, reason: str) -> None:
        self._unsure[ref] = reason
        if ref in self._owners:
            self.wake(self._owners[ref], ref)

    def _wake_owners(self, kind: ResourceType) -> None:
        """Have everybody who owns objects of a type tell how well it is watched."""
        owners = {owner for ref, owner in self._owners.items() if (ref.group, ref.kind) == (kind.group, kind.kind)}
        for owner in owners:
            self.wake(owner, None)

    def _miss_unseen(self, kind: ResourceType, keys: frozenset[ObjectRef]) -> None:
        for ref in self._owners:
            if (ref.group, ref.kind) == (kind.group, kind.kind) and ref not in keys and ref not in self._held:
                self._doubt(ref, "the watch's list does not show it")

    def expect(self, ref: ObjectRef, owner: str, state: tuple[str, str] | None) -> None:
        """Say whose an object is, and the uid and baseline in which it rests (None: not applied yet)."""
        self._owners[ref] = owner
        if state is None:
            self._expected.pop(ref, None)
            return
        self._expected[ref] = state
        sighting = self._sightings.get(ref)
        if sighting and (sighting.uid, sighting.digest) == state:
            sighting.body, sighting.changed_at = None, 0.0

    def expects(self, ref: ObjectRef) -> bool:
        """Whether the object is known to have been applied."""
        return ref in self._expected

    def forget(self, ref: ObjectRef) -> None:
        """The object is no longer anybody's of ours."""
        for table in (self._owners, self._expected, self._sightings, self._unsure):
            table.pop(ref, None)

    def hold(self, ref: ObjectRef) -> None:
        """An apply begins: hold the object's events until its answer is known."""
        self._held.setdefault(ref, _Held()).applies += 1

    def release(self, ref: ObjectRef, answer: dict[str, Any] | None) -> None:
        """The apply ended (None: without an answer): learn the answer, then the held event if it is newer."""
        held = self._held[ref]
        held.applies -= 1
        if answer is not None:
            if ref in self._owners:
                self._expected[ref] = (answer["metadata"]["uid"], self.digest(answer) or "")
            self.saw(ref, answer)
        if held.applies:
            return
        del self._held[ref]
        match held.latest:
            case Seen() as event:
                self._take(event)
            case Vanished(body=body) as event:
                answered = answer["metadata"]["resourceVersion"] if answer else "0"
                if not _older(str(body["metadata"]["resourceVersion"]), answered):
                    self._take(event)
            case _:
                return

    def sighting(self, ref: ObjectRef) -> Sighting | None:
        """The last state, None where none is trustworthy (never seen, or in doubt)."""
        return None if ref in self._unsure else self._sightings.get(ref)

    def settle_absent(self, ref: ObjectRef) -> None:
        """A GET said that the object is gone."""
        self._sightings.pop(ref, None)
        self._unsure.pop(ref, None)

    def unexplained(self, ref: ObjectRef) -> bool:
        """Whether the object differs from what is expected and its body is not at hand: it was seen before that."""
        sighting = self.sighting(ref)
        return sighting is not None and sighting.body is None and self._differs(ref, sighting)

    def _differs(self, ref: ObjectRef, sighting: Sighting) -> bool:
        expected = self._expected.get(ref)
        return expected is not None and expected != (sighting.uid, sighting.digest)

    def doubt(self, ref: ObjectRef) -> str | None:
        """Why the object's state is in doubt, None where it is not."""
        return self._unsure.get(ref)

    async def wait_synced(self, kinds: Collection[ResourceType], *, timeout_seconds: float) -> bool:
        """Wait until every type's list was shown, or its watch reported trouble; False when time is up."""
        try:
            async with asyncio.timeout(timeout_seconds):
                for kind in kinds:
                    await self._sync_mark(kind).wait()
        except TimeoutError:
            return False
        return True

    def unwatched(self, kinds: Collection[ResourceType]) -> None:
        """The types are watched no longer: what is known of their lists is void."""
        for kind in kinds:
            self._synced.pop(kind, None)
            self._trouble.pop(kind, None)

    def _sync_mark(self, kind: ResourceType) -> asyncio.Event:
        return self._synced.setdefault(kind, asyncio.Event())

    def blind_to(self, kinds: Collection[ResourceType]) -> str:
        """Of which types nothing is seen at present, and why of the first; empty where all are watched."""
        blind = sorted(kind for kind in kinds if kind in self._trouble)
        if not blind:
            return ""
        return f"{', '.join(kind.plural for kind in blind)}: {self._trouble[blind[0]]}"

    def trouble(self, kind: ResourceType) -> str | None:
        """Why the type's watch does not work at present."""
        return self._trouble.get(kind)


def watched(body: dict[str, Any]) -> bool:
    """Whether the watches show an object: they select on the bucket label."""
    return BUCKET_LABEL in (body["metadata"].get("labels") or {})


def _older(version: str, than: str) -> bool:
    """Whether a resourceVersion is at or below another; they are comparable integers since Kubernetes 1.35."""
    return int(version) <= int(than)
