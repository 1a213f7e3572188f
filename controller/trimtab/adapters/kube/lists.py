"""Whole collections, page by page.

A resource type and a selector flow in; all its objects, or their metadata only, flow out. `objects` and the watches'
fallback use it.
"""

from typing import Any, Final

from trimtab.adapters.kube.connection import JSON, Connection, Request, encode_query
from trimtab.core.api_error import ApiError
from trimtab.core.refs import ResourceType

PAGE_OBJECTS: Final = 500
METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_RESTARTS: Final = 3


async def list_all(
    connection: Connection,
    kind: ResourceType,
    *,
    namespace: str = "",
    selector: str = "",
    accept: str = JSON,
    verb: str = "list",
) -> tuple[list[dict[str, Any]], str]:
    """All objects (each with apiVersion and kind set) and the list's resourceVersion. Raises ApiError.

    A continue token that expired between two pages starts the list again, so that what flows out is one snapshot.
    """
    for _ in range(_RESTARTS):
        try:
            return await _pages(connection, kind, namespace=namespace, selector=selector, accept=accept, verb=verb)
        except ApiError as error:
            if error.status != 410:
                raise
    raise ApiError(410, "Expired", f"the list of {kind.plural} changed faster than it could be read")


async def _pages(
    connection: Connection, kind: ResourceType, *, namespace: str, selector: str, accept: str, verb: str
) -> tuple[list[dict[str, Any]], str]:
    params = {"limit": str(PAGE_OBJECTS)}
    if selector:
        params["labelSelector"] = selector
    objects: list[dict[str, Any]] = []
    while True:
        request = Request(
            "GET", kind.path(namespace), encode_query(params), accept=accept, verb=verb, resource=kind.plural
        )
        page = await connection.send(request)
        for item in page.get("items") or ():
            item["apiVersion"] = kind.api_version
            item["kind"] = kind.kind
            objects.append(item)
        metadata = page.get("metadata") or {}
        if not metadata.get("continue"):
            return objects, str(metadata.get("resourceVersion") or "")
        params = params | {"continue": metadata["continue"]}
