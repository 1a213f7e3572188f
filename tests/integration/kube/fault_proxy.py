"""An HTTP proxy before the real API server that answers, cuts and stalls as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from trimtab.adapters.kube.access import Access

Fault = Callable[[web.Request], web.Response | str | None]
"""Answers a request in the server's place; text is sent as the one line of a watch; None lets it pass."""


@dataclass
class Passed:
    method: str
    path: str
    query: dict[str, str]


@dataclass
class FaultProxy:
    access: Access
    upstream: aiohttp.ClientSession
    url: str = ""
    fault: Fault | None = None
    rewrite: Callable[[dict[str, str]], None] | None = None
    accept: str = ""
    requests: list[Passed] = field(default_factory=list)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    _streams: set[web.StreamResponse] = field(default_factory=set)

    def cut(self) -> None:
        """Cut all open answers without ceremony."""
        for stream in list(self._streams):
            transport = stream._req.transport if stream._req is not None else None
            if transport is not None:
                transport.abort()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.requests.append(Passed(request.method, request.path, query))
        await self.answering.wait()
        fault = self.fault(request) if self.fault else None
        if isinstance(fault, web.Response):
            return fault
        answer = web.StreamResponse()
        if isinstance(fault, str):
            await answer.prepare(request)
            await answer.write(fault.encode() + b"\n")
            await asyncio.sleep(0.05)
            return answer
        if self.rewrite:
            self.rewrite(query)
        headers = {key: value for key, value in request.headers.items() if key in ("Accept", "Content-Type")}
        if self.accept:
            headers["Accept"] = self.accept
        url = self.access.host + request.path
        body = await request.read()
        async with self.upstream.request(
            request.method, url, params=query, headers=headers, data=body or None
        ) as upstream:
            answer.set_status(upstream.status)
            answer.content_type = upstream.content_type
            await answer.prepare(request)
            self._streams.add(answer)
            try:
                async for chunk in upstream.content.iter_any():
                    await self.flowing.wait()
                    await answer.write(chunk)
            except aiohttp.ClientConnectionResetError:
                pass  # cut by the test, or closed by the client
            finally:
                self._streams.discard(answer)
        return answer


@asynccontextmanager
async def fault_proxy(access: Access) -> AsyncIterator[tuple[FaultProxy, Access]]:
    """The proxy, and the access that leads through it."""
    async with access.open_session() as upstream:
        proxy = FaultProxy(access, upstream)
        proxy.flowing.set()
        proxy.answering.set()
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

        async def nothing() -> None:
            return None

        try:
            yield proxy, Access(proxy.url, "default", nothing, nothing, aiohttp.ClientSession)
        finally:
            proxy.flowing.set()
            proxy.answering.set()
            proxy.cut()
            await runner.cleanup()
            await asyncio.sleep(0.05)  # transports close a moment after they are told to
