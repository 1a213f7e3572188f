"""A verb's way to the cluster: the user's own kubeconfig, with the user's own credential plugins.

A `Target` flows in; a `Session` flows out, closed at the end of the verb.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from trimtab.adapters.kube.access import open_access
from trimtab.adapters.kube.connection import Connection
from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.cli.options import Target

MANAGER: Final = "trimtab-cli"
"""User agent and field manager of what the command line writes itself, apart from those of the controller."""


@dataclass(frozen=True, slots=True)
class Session:
    """Requests as the user. `objects` writes as the command line, `rehearsal` as the controller, for dry runs."""

    namespace: str
    connection: Connection
    objects: KubeObjects
    rehearsal: KubeObjects


@asynccontextmanager
async def open_session(target: Target) -> AsyncIterator[Session]:
    """Connect. Raises AccessError where no cluster is configured."""
    access = await open_access(
        kubeconfig=str(target.kubeconfig) if target.kubeconfig else None,
        context=target.context,
        allow_plugins=True,
        agent=MANAGER,
    )
    async with Connection(access) as connection:
        discovery = Discovery(connection)
        objects = KubeObjects(connection, discovery, field_manager=MANAGER)
        yield Session(target.namespace, connection, objects, KubeObjects(connection, discovery))
