"""Our own objects as the API server last showed them, and what of their changes deserves a look.

Handlers put bodies in, the work queue gets keys out, reconcilers read the typed objects.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import ValidationError

from trimtab.api.application import Application
from trimtab.api.git_repository import GitRepository
from trimtab.api.helm_repository import HelmRepository
from trimtab.api.model import Resource
from trimtab.api.oci_repository import OciRepository
from trimtab.core.errors import Problem
from trimtab.reconcile.queue import Key, WorkQueue

R = TypeVar("R", bound=Resource)

APPLICATION = "Application"
GIT_REPOSITORY = "GitRepository"
OCI_REPOSITORY = "OCIRepository"
HELM_REPOSITORY = "HelmRepository"
INVENTORY = "Inventory"

STRAY_SECONDS = 5.0
"""How long kinds may be shown one after the other; whatever is missing after that is looked into."""

_MODELS: dict[str, type[Resource]] = {
    APPLICATION: Application,
    GIT_REPOSITORY: GitRepository,
    OCI_REPOSITORY: OciRepository,
    HELM_REPOSITORY: HelmRepository,
}


class Desk:
    """The last shown state of every Application and source. Lives on the event loop."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue
        self._shown: dict[Key, Resource] = {}
        self._invalid: dict[Key, tuple[dict[str, Any], Problem]] = {}
        self._marks: dict[Key, tuple[object, ...]] = {}
        self._left_behind: dict[Key, str] = {}
        self._unanswered: set[Key] = set()

    def shown(self, body: dict[str, Any]) -> None:
        """An object was listed, added or changed: remember it, and enqueue its key if more than status changed."""
        key = _key_of(body)
        if key.kind == INVENTORY:
            self._shard_shown(key, body)
            return
        self.answers(key)
        try:
            self._shown[key] = _MODELS[key.kind].parse(body)
            self._invalid.pop(key, None)
        except ValidationError as error:
            self._shown.pop(key, None)
            self._invalid[key] = (body, _unreadable(error))
        mark = _mark(body)
        if self._marks.get(key) != mark:
            self._marks[key] = mark
            self._queue.add(key)

    def _shard_shown(self, key: Key, body: dict[str, Any]) -> None:
        """A shard of an Application that is not there may have outlived it, or was only shown before it."""
        owner = body.get("spec", {}).get("application", {})
        application, uid = Key(APPLICATION, key.namespace, owner.get("name", "")), owner.get("uid", "")
        shown = self._shown.get(application)
        if not uid or (shown is not None and shown.metadata.uid == uid):
            return
        self._left_behind[application] = uid
        if body["metadata"].get("deletionTimestamp"):
            self._queue.add(application)
        else:
            self._queue.add_after(application, STRAY_SECONDS)

    def left_behind(self, key: Key) -> str:
        """The UID of an Application that has an Inventory and is not there, as far as is known; or empty. Told once."""
        return self._left_behind.pop(key, "")

    def gone(self, body: dict[str, Any]) -> None:
        """An object was deleted for good: forget it, let its key be worked on once more."""
        key = _key_of(body)
        if key.kind == INVENTORY:
            owner = body.get("spec", {}).get("application", {}).get("name", "")
            self._queue.add(Key(APPLICATION, key.namespace, owner))
            return
        self.lost(key)

    def lost(self, key: Key) -> None:
        """The same, where all that is known is that the object is not there any more."""
        self.answers(key)
        self._shown.pop(key, None)
        self._invalid.pop(key, None)
        self._marks.pop(key, None)
        self._queue.add(key)

    def call_roll(self, kind: str) -> bool:
        """Expect every known object of a kind to be shown once more; whether there is any."""
        called = {key for key in (*self._shown, *self._invalid) if key.kind == kind}
        self._unanswered |= called
        return bool(called)

    def answers(self, key: Key) -> None:
        """The object is known to be there, or to be gone."""
        self._unanswered.discard(key)

    def unanswered(self, kind: str) -> list[Key]:
        """Those of a kind that have not been shown since the roll was called."""
        return sorted(key for key in self._unanswered if key.kind == kind)

    def readable(self, key: Key, model: type[R]) -> R | None:
        """An object of a kind, None where there is none or it cannot be read."""
        shown = self._shown.get(key)
        return shown if isinstance(shown, model) else None

    def application(self, key: Key) -> Application | None:
        """The Application, None where there is none or it cannot be read."""
        return self.readable(key, Application)

    def repository(self, key: Key) -> GitRepository | None:
        """The GitRepository, None where there is none or it cannot be read."""
        return self.readable(key, GitRepository)

    def fetched_sources(self, namespace: str) -> Iterator[OciRepository | HelmRepository]:
        """All readable OCIRepositories and HelmRepositories of a namespace."""
        for key, shown in self._shown.items():
            if isinstance(shown, OciRepository | HelmRepository) and key.namespace == namespace:
                yield shown

    def known(self, key: Key) -> bool:
        """Whether an object was shown, readable or not."""
        return key in self._shown or key in self._invalid

    def invalid(self, key: Key) -> tuple[dict[str, Any], Problem] | None:
        """The body of an object that cannot be read, and why."""
        return self._invalid.get(key)

    def dependents(self, source: Key) -> Iterator[Key]:
        """The Applications that a source is one of the sources of."""
        for key, shown in self._shown.items():
            if not isinstance(shown, Application) or key.namespace != source.namespace:
                continue
            refs = (shown.spec.source_ref, *(each.source_ref for each in shown.spec.sources))
            if any((ref.kind, ref.name) == (source.kind, source.name) for ref in refs):
                yield key

    def including(self, repository: Key) -> Iterator[Key]:
        """The GitRepositories that include a folder of this one."""
        for key, shown in self._shown.items():
            if (
                isinstance(shown, GitRepository)
                and key.namespace == repository.namespace
                and any(each.repository.name == repository.name for each in shown.spec.include)
            ):
                yield key

    def applications(self) -> list[Key]:
        """All readable Applications."""
        return [key for key, shown in self._shown.items() if isinstance(shown, Application)]


def _key_of(body: dict[str, Any]) -> Key:
    return Key(body["kind"], body["metadata"]["namespace"], body["metadata"]["name"])


def _mark(body: dict[str, Any]) -> tuple[object, ...]:
    """What of an object makes a look worth while: not its status, labels or managed fields."""
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    return (
        metadata.get("uid"),
        metadata.get("generation"),
        metadata.get("deletionTimestamp"),
        tuple(metadata.get("finalizers") or ()),
        tuple(sorted(item for item in annotations.items() if "trimtab.dev/" in item[0])),
    )


def _unreadable(error: ValidationError) -> Problem:
    """The validation's findings without the values that were found: they may be secret."""
    findings = "; ".join(
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False)
    )
    return Problem(
        findings, reason="InvalidSpec", remedy="correct the object; install the current CRDs to have it refused earlier"
    )
