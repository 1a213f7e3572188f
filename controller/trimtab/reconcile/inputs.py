"""ConfigMaps and Secrets that rendering reads, kept as long as an Application refers to them, and no others.

Desired states ask for the inputs of an Application; the objects' events flow in from watches that exist only while
somebody refers to their kind. A change of the data wakes those who refer to it. At rest nothing is
asked of the API server.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from trimtab.core.errors import Problem, SourceError
from trimtab.core.observed import Absent, Live
from trimtab.core.refs import LOCAL_CLUSTER, ObjectRef, ResourceType
from trimtab.reconcile.ports import Objects, Seen, Synced, Vanished, Watches, WatchEvent, WatchTrouble
from trimtab.reconcile.queue import Key
from trimtab.render.inputs import InputRef, RenderInputs, object_digest
from trimtab.report.hiding import mask_values

log = logging.getLogger(__name__)

KINDS: Final = {
    "ConfigMap": ResourceType("", "v1", "ConfigMap", "configmaps", namespaced=True),
    "Secret": ResourceType("", "v1", "Secret", "secrets", namespaced=True),
}
SYNC_SECONDS: Final = 10.0
"""How long a turn waits for the first list of a new watch before it asks object by object instead."""

_Data = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class _Known:
    """The data of an object at a version, None where it does not exist; `digest` tells whether it changed."""

    version: int
    data: _Data | None
    digest: str


def _sleep_on(_key: Key) -> None:
    """Nobody wants to be woken yet."""


class InputStore:
    """Inputs by Application. Lives on the event loop.

    `wake` is called with the key of an Application whose inputs changed; `watches` shows one namespace and hands its
    events to `sink`. Without watches, as in a command that looks once, every object is read when it is asked for.
    """

    def __init__(self, *, objects: Objects, key: bytes, wake: Callable[[Key], None] = _sleep_on) -> None:
        self.watches: Watches | None = None
        self._objects = objects
        self._key = key
        self._wake = wake
        self._wanted: dict[Key, frozenset[ObjectRef]] = {}
        self._users: dict[ObjectRef, set[Key]] = {}
        self._known: dict[ObjectRef, _Known] = {}
        self._settled: dict[str, asyncio.Event] = {}
        self._outdated: set[Key] = set()

    async def get(self, key: Key, wanted: frozenset[InputRef]) -> RenderInputs:
        """The inputs of an Application as they are now. Raises SourceError where an object cannot be read."""
        refs = {_object(key, each): each for each in wanted}
        self._want(key, frozenset(refs))
        await self._wait_shown({ref.kind for ref in refs})
        for ref in sorted(refs):
            if ref not in self._known or not self._is_watched(ref.kind):
                await self._read(ref)
        self._outdated.discard(key)
        # An Application has one turn at a time: what it wants stays known meanwhile.
        return RenderInputs.of({each: self._known[ref].data for ref, each in refs.items()}, key=self._key)

    def masked(self, key: Key, text: str) -> str:
        """A text without the values of the Secrets that an Application refers to, as far as they can be recognised."""
        return mask_values(text, self._secret_values(key))

    def _secret_values(self, key: Key) -> Iterator[bytes]:
        for ref in self._wanted.get(key, ()):
            known = self._known.get(ref)
            if ref.kind == "Secret" and known is not None and known.data is not None:
                yield from known.data.values()

    def outdated(self, key: Key) -> bool:
        """Whether the inputs of an Application have changed since it was given them."""
        return key in self._outdated

    def forget(self, key: Key) -> None:
        """The Application is gone."""
        self._want(key, frozenset())
        self._outdated.discard(key)

    def sink(self, event: WatchEvent) -> None:
        """Take one watch event; called in order, on the event loop."""
        match event:
            case Seen(body=body):
                ref = ObjectRef.of(body)
                if ref in self._users:
                    self._learn(ref, _version(body), _data(body))
            case Vanished(body=body):
                ref = ObjectRef.of(body)
                if ref in self._users:
                    self._learn(ref, _version(body), None)
            case Synced(kind=kind, keys=keys):
                for ref in [each for each in self._users if each.kind == kind.kind and each not in keys]:
                    self._learn(ref, self._known[ref].version if ref in self._known else 0, None)
                self._mark(kind.kind).set()
            case WatchTrouble(kind=kind, reason=reason):
                log.warning("changes of %s that rendering reads are not seen: %s", kind.plural, reason)
                self._mark(kind.kind).set()

    def _want(self, key: Key, refs: frozenset[ObjectRef]) -> None:
        before = self._wanted.get(key, frozenset())
        if refs == before:
            return
        self._wanted[key] = refs
        if not refs:
            del self._wanted[key]
        for ref in refs - before:
            self._users.setdefault(ref, set()).add(key)
        for ref in before - refs:
            self._users[ref].discard(key)
            if not self._users[ref]:
                del self._users[ref]
                self._known.pop(ref, None)
        self._settle()

    def _settle(self) -> None:
        """Have just the kinds watched that somebody refers to."""
        if self.watches is None:
            return
        kinds = {ref.kind for ref in self._users}
        for kind in self._settled.keys() - kinds:
            del self._settled[kind]
        self.watches.want(frozenset(KINDS[kind] for kind in kinds))

    async def _wait_shown(self, kinds: Iterable[str]) -> None:
        if self.watches is None:
            return
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                for kind in kinds:
                    await self._mark(kind).wait()
        except TimeoutError:
            return

    def _mark(self, kind: str) -> asyncio.Event:
        return self._settled.setdefault(kind, asyncio.Event())

    def _is_watched(self, kind: str) -> bool:
        """Whether what is known is true until an event says otherwise; after an outage the new list says it."""
        return self.watches is not None and self.watches.synced(KINDS[kind])

    async def _read(self, ref: ObjectRef) -> None:
        """Ask for an object: one that nobody wanted when the list was shown, or that no watch shows."""
        before = self._known.get(ref)
        match await self._objects.get(ref, "v1"):
            case Live(body=body):
                self._learn(ref, _version(body), _data(body))
            case Absent():
                if self._known.get(ref) is before:
                    self._learn(ref, before.version if before else 0, None)
            case unknown:
                if before is None:
                    raise _unreadable(ref, unknown.reason)
                # The server is away: what was seen last goes on, as everything else does.

    def _learn(self, ref: ObjectRef, version: int, data: _Data | None) -> None:
        known = self._known.get(ref)
        if known is not None and version < known.version:
            return
        digest = object_digest(data, key=self._key)
        self._known[ref] = _Known(version, data, digest)
        if known is not None and known.digest != digest:
            for user in sorted(self._users.get(ref, ())):
                self._outdated.add(user)
                self._wake(user)


def _object(key: Key, wanted: InputRef) -> ObjectRef:
    """References stay in the Application's own namespace."""
    return ObjectRef(LOCAL_CLUSTER, "", wanted.kind, key.namespace, wanted.name)


def _version(body: dict[str, Any]) -> int:
    return int(body["metadata"]["resourceVersion"])


def _data(body: dict[str, Any]) -> _Data:
    """A Secret's data, or a ConfigMap's data and binaryData, decoded; what the server would never store counts not."""
    plain = body.get("data") or {}
    if body["kind"] == "Secret":
        return _decoded(plain)
    return {name: text.encode() for name, text in plain.items()} | _decoded(body.get("binaryData") or {})


def _decoded(encoded: dict[str, str]) -> _Data:
    found: _Data = {}
    for name, text in encoded.items():
        try:
            found[name] = base64.b64decode(text, validate=True)
        except binascii.Error:
            continue
    return found


def _unreadable(ref: ObjectRef, reason: str) -> SourceError:
    remedy = "let the controller get, list and watch it"
    return SourceError(
        Problem(f"it cannot be read: {reason}", ref, remedy=remedy, reason="InputUnreadable", retry=True)
    )
