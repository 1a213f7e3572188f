"""The address that Prometheus scrapes: `GET /metrics`, and nothing else.

Wiring starts it on `--metrics-bind-address` and closes it at shutdown.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from trimtab.adapters.prometheus.registry import MetricRegistry


def metrics_app(registry: MetricRegistry) -> web.Application:
    """The web application, for mounting and for tests."""

    async def scrape(request: web.Request) -> web.Response:
        text, content_type = registry.expose(request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_get("/metrics", scrape)
    return app


@asynccontextmanager
async def metrics_server(registry: MetricRegistry, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port, which the system chooses where 0 is asked for. Raises OSError."""
    runner = web.AppRunner(metrics_app(registry), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield site.port
    finally:
        await runner.cleanup()
