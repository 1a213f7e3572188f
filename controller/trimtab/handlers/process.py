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

GRACE_SECONDS = 3.0
"""How long kopf may take to close its watches; nothing of ours is lost if it takes longer."""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises TrimtabError or ApiError where it cannot start."""
    stop = asyncio.Event()
    _stop_on_signals(stop)
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
                    serving=controller.serving,
                ),
                name="kopf",
            ),
        ]
        waiting = asyncio.create_task(stop.wait())
        taking_over = asyncio.create_task(_take_signals_back(controller.serving, stop))
        try:
            await asyncio.wait([*parts, waiting], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            taking_over.cancel()
            await _end(parts)


def _stop_on_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _take_signals_back(serving: asyncio.Event, stop: asyncio.Event) -> None:
    """kopf handles signals itself once it runs, and then waits five seconds for tasks that are ours, not its."""
    await serving.wait()
    _stop_on_signals(stop)


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
    died = [task for task in parts if task.done() and not task.cancelled() and task.exception()]
    for task in parts:
        task.cancel()
    await asyncio.wait(parts, timeout=GRACE_SECONDS)
    for task in died:
        task.result()


def split_address(address: str) -> tuple[str, int]:
    """`127.0.0.1:8080` and `[::1]:8080` into host and port; an empty host means all interfaces. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"not an address: {address!r} (write it like 127.0.0.1:8080)")
    return host.strip("[]"), int(port)
