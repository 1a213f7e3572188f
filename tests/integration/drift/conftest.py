import pytest
from tests.integration.drift.server import Server


@pytest.fixture
def server(cluster, namespace):
    return Server(cluster.client, namespace)
