"""Objects of any type on one cluster: the port `Objects` over HTTP.

Plain dicts and refs flow in, the server's answers flow out. The loop, the inventory store and the CLI call it.
"""

from typing import Any, Final

from trimtab.adapters.kube.connection import Connection, Request, encode_query
from trimtab.adapters.kube.definitions import open_instances
from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.kube.lists import METADATA, list_all
from trimtab.core.api_error import ApiError
from trimtab.core.names import FIELD_MANAGER
from trimtab.core.observed import Absent, Live, Observed, Unknown
from trimtab.core.refs import ObjectRef, ResourceType, split_api_version
from trimtab.plan.references import CUSTOM_RESOURCE_DEFINITION, is_kind

_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"


class KubeObjects:
    """Implements `reconcile.ports.Objects`."""

    def __init__(self, connection: Connection, discovery: Discovery, *, field_manager: str = FIELD_MANAGER) -> None:
        self._connection = connection
        self._discovery = discovery
        # Fields that the schema lacks are refused by the typed merge whatever this says; "Warn" and "Strict" only add
        # a second parsing of each body for duplicate keys, which a dict cannot have. It costs the server a tenth.
        write = {"fieldManager": field_manager, "fieldValidation": "Ignore"}
        self._write = encode_query(write)
        self._apply = encode_query(write | {"force": "true"})
        self._dry_run = encode_query(write | {"force": "true", "dryRun": "All"})

    async def served(self, group: str, version: str, kind: str) -> ResourceType | None:
        """The served type, None where the server has it not. Raises ApiError."""
        return await self._discovery.served(group, version, kind)

    async def apply(self, body: dict[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Server-side apply with force; the server's answer. Raises ApiError."""
        kind = await self._type_of(body)
        metadata = body["metadata"]
        path = kind.path(metadata.get("namespace") or "", metadata["name"])
        query = self._dry_run if dry_run else self._apply
        return await self._send(Request("PATCH", path, query, body, _APPLY, verb="apply", resource=kind.plural))

    async def get(self, ref: ObjectRef, version: str) -> Observed:
        """The live object; Absent only where the server says so of this very object or serves its kind nowhere."""
        try:
            kind = await self._readable(ref, version)
            if kind is None:
                return Absent()
            body = await self._send(Request("GET", kind.path(ref.namespace, ref.name), resource=kind.plural))
        except ApiError as error:
            # A 404 without a reason about an object is the path's own: the type went since we last looked.
            return Absent() if _names_object(error) else Unknown(str(error))
        return Live(body)

    async def list_metadata(self, kind: ResourceType, namespace: str, *, selector: str = "") -> list[dict[str, Any]]:
        """Metadata of all objects of a type. Raises ApiError."""
        objects, _ = await list_all(self._connection, kind, namespace=namespace, selector=selector, accept=METADATA)
        return objects

    async def list(self, kind: ResourceType, namespace: str, *, selector: str = "") -> list[dict[str, Any]]:
        """All objects of a type. Raises ApiError."""
        objects, _ = await list_all(self._connection, kind, namespace=namespace, selector=selector)
        return objects

    async def delete(self, ref: ObjectRef, version: str, *, uid: str, resource_version: str | None = None) -> None:
        """Delete in the background if uid (and resourceVersion) are still these. Raises ApiError, 409 if not."""
        kind = await self._readable(ref, version)
        if kind is None:
            return
        preconditions = {"uid": uid} | ({"resourceVersion": resource_version} if resource_version else {})
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": preconditions,
        }
        path = kind.path(ref.namespace, ref.name)
        try:
            if is_kind(ref, CUSTOM_RESOURCE_DEFINITION):
                await open_instances(self._connection, await self._send(Request("GET", path, resource=kind.plural)))
            await self._send(Request("DELETE", path, body=options, verb="delete", resource=kind.plural))
        except ApiError as error:
            if not _names_object(error):
                raise

    async def merge(
        self, ref: ObjectRef, version: str, patch: dict[str, Any], *, subresource: str = ""
    ) -> dict[str, Any]:
        """JSON merge patch; the server's answer. Raises ApiError."""
        kind = await self._type(ref.group, version, ref.kind)
        path = kind.path(ref.namespace, ref.name, subresource)
        return await self._send(Request("PATCH", path, self._write, patch, _MERGE, verb="patch", resource=kind.plural))

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST; the server's answer. Raises ApiError."""
        kind = await self._type_of(body)
        path = kind.path(body["metadata"].get("namespace") or "")
        return await self._send(Request("POST", path, self._write, body, verb="create", resource=kind.plural))

    async def _type_of(self, body: dict[str, Any]) -> ResourceType:
        group, version = split_api_version(body["apiVersion"])
        return await self._type(group, version, body["kind"])

    async def _type(self, group: str, version: str, kind: str) -> ResourceType:
        found = await self._discovery.served(group, version, kind)
        if found is None:
            api_version = f"{group}/{version}" if group else version
            raise ApiError(404, "NoKindMatch", f"the server does not serve {kind} in {api_version}")
        return found

    async def _readable(self, ref: ObjectRef, version: str) -> ResourceType | None:
        """The type in this version, else in any: an object lives on when the version it was applied in is gone."""
        found = await self._discovery.served(ref.group, version, ref.kind)
        if found is not None:
            return found
        return next(iter(await self._discovery.versions(ref.group, ref.kind)), None)

    async def _send(self, request: Request) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await self._connection.send(request)
        except ApiError as error:
            if error.not_found and not _names_object(error):
                self._discovery.forget()
            raise
        return answer


def _names_object(error: ApiError) -> bool:
    """Whether a 404 speaks of an object; that of an unknown path has no reason, or a message about the resource."""
    return (
        error.not_found and error.reason == "NotFound" and "could not find the requested resource" not in error.message
    )
