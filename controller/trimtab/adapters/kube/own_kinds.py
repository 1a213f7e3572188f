"""Writes to our own kinds: statuses, the finalizer, Events. Implements the port `OwnKinds`.

The loop decides what is written and when; an object that is gone meanwhile is no failure here.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from trimtab.adapters.kube.connection import Connection, Request, encode_query
from trimtab.core.api_error import ApiError
from trimtab.core.names import FIELD_MANAGER, FINALIZER
from trimtab.core.refs import ResourceType

log = logging.getLogger(__name__)

STATUS_MANAGER: Final = f"{FIELD_MANAGER}-status"
_EVENTS: Final = ResourceType("events.k8s.io", "v1", "Event", "events", namespaced=True)
_MERGE: Final = "application/merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_ATTEMPTS: Final = 5


class KubeOwnKinds:
    """One per process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._apply = encode_query({"fieldManager": STATUS_MANAGER, "force": "true"})
        self._write = encode_query({"fieldManager": FIELD_MANAGER})

    async def set_status(self, kind: ResourceType, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Make `status` the object's whole status: one server-side apply, no read. Raises ApiError."""
        metadata = {"namespace": namespace, "name": name}
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": dict(status)}
        path = kind.path(namespace, name, "status")
        try:
            await self._connection.send(
                Request("PATCH", path, self._apply, body, _APPLY, verb="apply", resource=kind.plural)
            )
        except ApiError as error:
            if not error.not_found:
                raise

    async def set_finalizer(self, kind: ResourceType, namespace: str, name: str, *, present: bool) -> None:
        """Add or remove our finalizer, leaving those of others. Raises ApiError."""
        path = kind.path(namespace, name)
        for attempt in range(_ATTEMPTS):
            try:
                live = await self._connection.send(Request("GET", path, resource=kind.plural))
                metadata = live["metadata"]
                finalizers = metadata.get("finalizers") or []
                if (FINALIZER in finalizers) == present:
                    return
                changed = [*finalizers, FINALIZER] if present else [each for each in finalizers if each != FINALIZER]
                patch = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": changed}}
                await self._connection.send(
                    Request("PATCH", path, self._write, patch, _MERGE, verb="patch", resource=kind.plural)
                )
                return
            except ApiError as error:
                if error.not_found:
                    return
                if not error.conflict or attempt == _ATTEMPTS - 1:
                    raise

    async def post_event(self, body: Mapping[str, Any]) -> None:
        """Create an Event; failures are logged, for an Event is news and no state."""
        path = _EVENTS.path(body["metadata"]["namespace"])
        request = Request("POST", path, self._write, dict(body), verb="create", resource=_EVENTS.plural)
        await self._send_news(request)

    async def count_event(self, namespace: str, name: str, patch: Mapping[str, Any]) -> None:
        """Merge a patch into an Event; failures are logged."""
        request = Request(
            "PATCH", _EVENTS.path(namespace, name), self._write, dict(patch), _MERGE, verb="patch", resource="events"
        )
        await self._send_news(request)

    async def _send_news(self, request: Request) -> None:
        try:
            await self._connection.send(request)
        except ApiError as error:
            log.info("an Event was not written: %s", error)
