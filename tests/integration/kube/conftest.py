"""Our adapters on the shared control plane."""

from collections.abc import AsyncIterator

import pytest

from trimtab.adapters.kube.access import open_access
from trimtab.adapters.kube.connection import Connection
from trimtab.adapters.kube.discovery import Discovery
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.localcluster import Cluster


@pytest.fixture
async def connection(cluster: Cluster) -> AsyncIterator[Connection]:
    """A connection to the shared cluster as its administrator."""
    async with Connection(await open_access(kubeconfig=str(cluster.kubeconfig_path))) as opened:
        yield opened


@pytest.fixture
def objects(connection: Connection) -> KubeObjects:
    """All objects of the shared cluster."""
    return KubeObjects(connection, Discovery(connection))
