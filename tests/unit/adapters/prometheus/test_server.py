"""The address that Prometheus scrapes."""

import pytest
from aiohttp import ClientSession

from trimtab.adapters.prometheus.metrics import PrometheusMetrics
from trimtab.adapters.prometheus.registry import MetricRegistry
from trimtab.adapters.prometheus.server import metrics_server


async def test_serves_metrics_and_nothing_else():
    registry = MetricRegistry(process=False)
    PrometheusMetrics(registry, version="1.2.3")
    async with metrics_server(registry, host="127.0.0.1", port=0) as port, ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/plain"
            assert 'trimtab_build_info{version="1.2.3"} 1.0' in await answer.text()
        async with session.get(f"http://127.0.0.1:{port}/") as answer:
            assert answer.status == 404


async def test_a_taken_port_is_an_error():
    registry = MetricRegistry(process=False)
    async with metrics_server(registry, host="127.0.0.1", port=0) as port:
        with pytest.raises(OSError, match="in use"):
            async with metrics_server(registry, host="127.0.0.1", port=port):
                pytest.fail("served twice")
