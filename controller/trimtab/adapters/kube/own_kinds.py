"""Writes to our own custom resources, and the Events about them: the port `OwnKinds`.

Statuses, finalizers and Event bodies flow in; nothing flows out. The loop calls it.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from trimtab.adapters.kube.connection import Connection, Request, encode_query
from trimtab.core.api_error import ApiError
from trimtab.core.names import FINALIZER
from trimtab.core.refs import ResourceType

log = logging.getLogger(__name__)

MANAGER: Final = "trimtab-controller"
"""Not the manager of applies: an Application that another one delivers keeps its deliverer and its controller apart."""
_MERGE: Final = "application/merge-patch+json"
_TRIES: Final = 5
_EVENT: Final = ResourceType("events.k8s.io", "v1", "Event", "events", namespaced=True)
_WRITE: Final = encode_query({"fieldManager": MANAGER})
_APPLY: Final = encode_query({"fieldManager": MANAGER, "force": "true", "fieldValidation": "Ignore"})


class KubeOwnKinds:
    """Implements `reconcile.ports.OwnKinds`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def set_status(self, kind: ResourceType, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Apply `status` as the whole status, in one request; an object that is gone is no error. Raises ApiError."""
        body = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": name, "namespace": namespace},
            "status": status,
        }
        path = kind.path(namespace, name, "status")
        apply = "application/apply-patch+yaml"
        try:
            await self._connection.send(Request("PATCH", path, _APPLY, body, apply, verb="apply", resource=kind.plural))
        except ApiError as error:
            if not error.not_found:
                raise

    async def set_finalizer(self, kind: ResourceType, namespace: str, name: str, *, present: bool) -> None:
        """Add or remove `trimtab.dev/prune`, leaving others' finalizers; an object that is gone is no error.

        Raises ApiError, 422 where one shall be added to an object that is being deleted.
        """
        path = kind.path(namespace, name)
        for attempt in range(_TRIES):
            try:
                body = await self._connection.send(Request("GET", path, resource=kind.plural))
                patch = finalizer_patch(body["metadata"], present=present)
                if patch is not None:
                    await self._connection.send(
                        Request("PATCH", path, _WRITE, patch, _MERGE, verb="patch", resource=kind.plural)
                    )
                return
            except ApiError as error:
                if error.not_found:
                    return
                if not error.conflict or attempt == _TRIES - 1:
                    raise

    async def post_event(self, body: Mapping[str, Any]) -> None:
        """Create an Event; failures are logged."""
        request = Request(
            "POST", _EVENT.path(body["metadata"]["namespace"]), _WRITE, body, verb="create", resource="events"
        )
        await self._tell(request, body["metadata"]["namespace"])

    async def count_event(self, namespace: str, name: str, patch: Mapping[str, Any]) -> None:
        """Merge a patch into an Event; failures are logged."""
        await self._tell(Request("PATCH", _EVENT.path(namespace, name), _WRITE, patch, _MERGE, verb="patch"), namespace)

    async def _tell(self, request: Request, namespace: str) -> None:
        try:
            await self._connection.send(request)
        except ApiError as error:
            log.warning("an Event in %s is lost: %s", namespace, error)


def finalizer_patch(metadata: Mapping[str, Any], *, present: bool) -> dict[str, Any] | None:
    """The merge patch that adds or removes our finalizer if nobody wrote meanwhile; None where all is so already."""
    held = list(metadata.get("finalizers") or ())
    if (FINALIZER in held) == present:
        return None
    wanted = [*held, FINALIZER] if present else [name for name in held if name != FINALIZER]
    return {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": wanted}}
