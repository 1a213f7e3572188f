"""The controller as a process: kopf, the loop, metrics and probes side by side, until a signal ends them.

`trimtab run` calls `run`; whichever part ends first ends all.
"""

import asyncio
import signal
from contextlib import AsyncExitStack

from trimtab.adapters.probes.server import probes_server
from trimtab.adapters.prometheus.server import metrics_server
from trimtab.core.settings import Settings
from trimtab.handlers.operator import serve
from trimtab.wiring import Controller, assemble, measure_lag

GRACE_SECONDS = 10.0


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises TrimtabError or ApiError where it cannot start."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        controller = await assemble(settings, stack)
        await _open_doors(controller, stack)
        parts = [
            asyncio.create_task(controller.loop.run(), name="loop"),
            asyncio.create_task(measure_lag(controller.metrics), name="lag"),
            asyncio.create_task(
                serve(
                    controller.access,
                    controller.desk,
                    namespace=settings.namespace,
                    stop=stop,
                    serving=controller.serving,
                ),
                name="kopf",
            ),
        ]
        waiting = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*parts, waiting], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.set()
            await _end(parts)
            waiting.cancel()


async def _open_doors(controller: Controller, stack: AsyncExitStack) -> None:
    settings = controller.settings
    if settings.metrics_bind_address:
        host, port = split_address(settings.metrics_bind_address)
        await stack.enter_async_context(metrics_server(controller.registry, host=host, port=port))
    if settings.health_bind_address:
        host, port = split_address(settings.health_bind_address)
        probes = probes_server(live=controller.live, ready=controller.ready, host=host, port=port)
        await stack.enter_async_context(probes)


async def _end(parts: list[asyncio.Task[None]]) -> None:
    """Cancel what still runs, and raise what one of them died of."""
    kopf_task = parts[-1]
    await asyncio.wait([kopf_task], timeout=GRACE_SECONDS)
    died = [task for task in parts if task.done() and not task.cancelled() and task.exception()]
    for task in parts:
        task.cancel()
    await asyncio.gather(*parts, return_exceptions=True)
    for task in died:
        task.result()


def split_address(address: str) -> tuple[str, int]:
    """`127.0.0.1:8080` and `[::1]:8080` into host and port; an empty host means all interfaces. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"not an address: {address!r} (write it like 127.0.0.1:8080)")
    return host.strip("[]"), int(port)
