"""`GET /livez` and `GET /readyz` over two questions that wiring answers.

Each question returns the empty string for yes, or the reason for no, which the answer's body shows.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Question = Callable[[], str]


def probes_app(*, live: Question, ready: Question) -> web.Application:
    """The web application, for tests."""

    def answering(question: Question) -> Callable[[web.Request], web.Response]:
        async def answer(_request: web.Request) -> web.Response:
            trouble = question()
            return web.Response(text=f"{trouble or 'ok'}\n", status=503 if trouble else 200)

        return answer  # type: ignore[return-value]

    app = web.Application()
    app.router.add_get("/livez", answering(live))  # type: ignore[arg-type]
    app.router.add_get("/readyz", answering(ready))  # type: ignore[arg-type]
    return app


@asynccontextmanager
async def probes_server(*, live: Question, ready: Question, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port, which the system chooses where 0 is asked for. Raises OSError."""
    runner = web.AppRunner(probes_app(live=live, ready=ready), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield site.port
    finally:
        await runner.cleanup()
