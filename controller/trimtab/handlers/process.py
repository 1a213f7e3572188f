"""The controller as a process: kopf, the loop, metrics and probes side by side, until a signal ends them.

`trimtab run` calls `run`; whichever part ends first ends all.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass

from trimtab.adapters.probes.server import probes_server
from trimtab.adapters.prometheus.server import metrics_server
from trimtab.core.settings import Settings
from trimtab.handlers.operator import Operator
from trimtab.wiring import Controller, assemble, measure_lag, return_memory

GRACE_SECONDS = 1.5
"""How long the parts may take to end; what they were about is found again after the next start."""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises TrimtabError or ApiError where it cannot start."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        serving = asyncio.create_task(_serve(settings, stack), name="serve")
        stopping = asyncio.create_task(stop.wait(), name="signals")
        try:
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await _end([serving])


@dataclass(slots=True)
class _Health:
    """What the probes tell, also before there is anything to ask."""

    controller: Controller | None = None
    operator: Operator | None = None

    def live(self) -> str:
        """Why the process should be restarted; empty where it should not."""
        return self.controller.live() if self.controller else ""

    def ready(self) -> str:
        """Why the controller cannot do its work; empty where it can."""
        return self.operator.trouble() if self.operator else "the API server has not let us in yet"


async def _serve(settings: Settings, stack: AsyncExitStack) -> None:
    health = _Health()
    if settings.health_bind_address:
        host, port = split_address(settings.health_bind_address)
        await stack.enter_async_context(probes_server(live=health.live, ready=health.ready, host=host, port=port))
    health.controller = controller = await assemble(settings, stack)
    if settings.metrics_bind_address:
        host, port = split_address(settings.metrics_bind_address)
        await stack.enter_async_context(metrics_server(controller.registry, host=host, port=port))
    health.operator = operator = Operator(
        controller.access,
        controller.discovery,
        controller.desk,
        controller.roll_call,
        namespace=settings.namespace,
        idle_seconds=settings.watch_idle_seconds,
    )
    parts = [
        asyncio.create_task(controller.loop.run(), name="loop"),
        asyncio.create_task(measure_lag(controller.metrics), name="lag"),
        asyncio.create_task(return_memory(), name="memory"),
        asyncio.create_task(operator.serve(), name="kopf"),
    ]
    try:
        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(parts)


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
