"""What the API server serves.

Discovery documents flow in through the connection; `ResourceType`s with their verbs flow out, from a cache that is
renewed when somebody asks for a kind it lacks. `objects` asks for single kinds, the inventory store for all.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from trimtab.adapters.kube.connection import Connection, Request
from trimtab.core.api_error import ApiError
from trimtab.core.refs import ResourceType

_AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
SPACING_SECONDS: Final = 0.1
"""Looks begin at least this far apart: many objects of one missing kind ask at once."""


@dataclass(frozen=True, slots=True)
class Served:
    """A served type and what may be done with it (`get`, `list`, `watch`, `patch`, …)."""

    kind: ResourceType
    verbs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One look at discovery. `stale` holds the `group/version`s whose own server did not answer."""

    types: dict[tuple[str, str, str], Served]
    stale: frozenset[str]


class Discovery:
    """The server's catalogue, cached."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._catalogue: Catalogue | None = None
        self._looked_at = float("-inf")
        self._look: asyncio.Task[Catalogue] | None = None
        self._look_began_at = float("-inf")

    async def catalogue(self, *, fresh: bool = False) -> Catalogue:
        """The cached catalogue, or with `fresh` that of a look that began after this call. Raises ApiError.

        All who ask meanwhile share one look.
        """
        called_at = time.monotonic()
        while True:
            if self._look is not None and not self._look.done():
                shared = not fresh or self._look_began_at >= called_at
                catalogue = await asyncio.shield(self._look)
                if shared:
                    return catalogue
            elif self._catalogue is not None and (not fresh or self._looked_at >= called_at):
                return self._catalogue
            elif (seconds := self._look_began_at + SPACING_SECONDS - time.monotonic()) > 0:
                await asyncio.sleep(seconds)
            else:
                self._look_began_at = time.monotonic()
                self._look = asyncio.create_task(self._read())

    def forget(self) -> None:
        """The cache was caught out: have the next question look afresh."""
        self._catalogue = None

    async def served(self, group: str, version: str, kind: str) -> ResourceType | None:
        """The type, None where it is not served even after a fresh look.

        Raises ApiError, among them a 503 where the group's own server is away, so that nobody knows.
        """
        catalogue = await self.catalogue()
        found = catalogue.types.get((group, version, kind))
        if found is None:
            catalogue = await self.catalogue(fresh=True)
            found = catalogue.types.get((group, version, kind))
        if found is None and f"{group}/{version}" in catalogue.stale:
            raise _away(group, version)
        return found.kind if found else None

    async def versions(self, group: str, kind: str) -> list[ResourceType]:
        """All served versions of a kind, from the cache. Raises ApiError, 503 where a part of the group is away."""
        catalogue = await self.catalogue()
        found = [item.kind for (g, _, k), item in catalogue.types.items() if g == group and k == kind]
        away = next((name for name in catalogue.stale if name.partition("/")[0] == group), None)
        if not found and away is not None:
            raise _away(*away.split("/"))
        return found

    async def _read(self) -> Catalogue:
        started = time.monotonic()
        core, groups = await asyncio.gather(self._document("/api"), self._document("/apis"))
        if groups.get("kind") == "APIGroupDiscoveryList" and core.get("kind") == "APIGroupDiscoveryList":
            catalogue = read_aggregated([core, groups])
        else:
            catalogue = await self._read_classic(core, groups)
        self._catalogue = catalogue
        self._looked_at = started
        return catalogue

    async def _document(self, path: str, accept: str = _AGGREGATED) -> dict[str, Any]:
        request = Request("GET", path, accept=accept, verb="get", resource="discovery")
        document: dict[str, Any] = await self._connection.send(request)
        return document

    async def _read_classic(self, core: dict[str, Any], groups: dict[str, Any]) -> Catalogue:
        """One document per group and version, as servers before 1.26 and some proxies give."""
        versions = [("", version) for version in core.get("versions") or ()]
        for group in groups.get("groups") or ():
            versions += [(group["name"], version["version"]) for version in group["versions"]]
        paths = [f"/apis/{group}/{version}" if group else f"/api/{version}" for group, version in versions]
        answers = await asyncio.gather(*(self._document(path) for path in paths), return_exceptions=True)
        types: dict[tuple[str, str, str], Served] = {}
        stale: set[str] = set()
        for (group, version), answer in zip(versions, answers, strict=True):
            if isinstance(answer, ApiError):
                stale.add(f"{group}/{version}")
            elif isinstance(answer, BaseException):
                raise answer
            else:
                types.update(_keyed(_classic_types(group, version, answer)))
        return Catalogue(types, frozenset(stale))


def _away(group: str, version: str) -> ApiError:
    what = f"the API {group}/{version} is registered, but its server does not answer"
    return ApiError(503, "ServiceUnavailable", f"{what}; see `kubectl get apiservice {version}.{group}`")


def read_aggregated(documents: list[dict[str, Any]]) -> Catalogue:
    """Read APIGroupDiscoveryList documents (apidiscovery.k8s.io/v2)."""
    types: dict[tuple[str, str, str], Served] = {}
    stale: set[str] = set()
    for document in documents:
        for group in document.get("items") or ():
            name = (group.get("metadata") or {}).get("name") or ""
            for version in group.get("versions") or ():
                if version.get("freshness") == "Stale":
                    stale.add(f"{name}/{version['version']}")
                types.update(_keyed(_aggregated_types(name, version)))
    return Catalogue(types, frozenset(stale))


def _aggregated_types(group: str, version: dict[str, Any]) -> Iterator[Served]:
    for resource in version.get("resources") or ():
        # Resources that exist only for their subresources carry no kind of their own.
        kind = (resource.get("responseKind") or {}).get("kind")
        if kind:
            namespaced = resource.get("scope") == "Namespaced"
            found = ResourceType(group, version["version"], kind, resource["resource"], namespaced)
            yield Served(found, frozenset(resource.get("verbs") or ()))


def _classic_types(group: str, version: str, document: dict[str, Any]) -> Iterator[Served]:
    for resource in document.get("resources") or ():
        if "/" not in resource["name"]:
            found = ResourceType(group, version, resource["kind"], resource["name"], bool(resource["namespaced"]))
            yield Served(found, frozenset(resource.get("verbs") or ()))


def _keyed(types: Iterator[Served]) -> dict[tuple[str, str, str], Served]:
    return {(item.kind.group, item.kind.version, item.kind.kind): item for item in types}
