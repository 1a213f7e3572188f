"""The cluster's version and the APIs that it serves, as Helm charts ask for them.

Desired states call `look` at every turn; the server is asked for its version when discovery has looked anew.
"""

import asyncio
import logging
from typing import Any

from trimtab.adapters.kube.connection import Connection, Request
from trimtab.adapters.kube.discovery import Catalogue, Discovery
from trimtab.core.api_error import ApiError
from trimtab.render.inputs import Capabilities

log = logging.getLogger(__name__)


class KubeCapabilities:
    """Implements the port `ClusterCapabilities`."""

    def __init__(self, connection: Connection, discovery: Discovery) -> None:
        self._connection = connection
        self._discovery = discovery
        self._of: Catalogue | None = None
        self._known: Capabilities | None = None
        self._lock = asyncio.Lock()

    async def look(self) -> Capabilities:
        """What is known; what was known last where the server is away. Raises ApiError where nothing ever was."""
        async with self._lock:
            try:
                catalogue = await self._discovery.catalogue()
                if self._known is None or catalogue is not self._of:
                    request = Request("GET", "/version", verb="get", resource="discovery")
                    version: dict[str, Any] = await self._connection.send(request)
                    self._known = read_capabilities(catalogue, str(version.get("gitVersion") or ""), self._known)
                    self._of = catalogue
            except ApiError as error:
                if self._known is None:
                    raise
                log.debug("the cluster's capabilities are those known last: %s", error)
            return self._known


def read_capabilities(catalogue: Catalogue, version: str, before: Capabilities | None) -> Capabilities:
    """The capabilities that a look at discovery shows. Groups whose own server is away keep what was known of them:
    an outage must not take objects out of a chart.
    """
    names = set(catalogue.stale)
    for group, served_version, kind in catalogue.types:
        name = f"{group}/{served_version}" if group else served_version
        names |= {name, f"{name}/{kind}"}
    for name in before.api_versions if before else ():
        if any(name.startswith(f"{stale}/") for stale in catalogue.stale):
            names.add(name)
    return Capabilities(version, tuple(sorted(names)))
