"""kopf as the runner of the operator: our kinds are watched by it, its login is ours, nothing else of it is used.

Wiring's parts flow in, events flow to the desk. kopf runs in a thread with an event loop of its own and is started
again whenever it gives up: it does so at most errors of a stream, and when it ends it cancels every task of its loop.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import aiohttp
import kopf

from trimtab.adapters.kube.access import Access
from trimtab.adapters.kube.discovery import Discovery
from trimtab.core.api_error import ApiError
from trimtab.handlers.own_kinds import KINDS, Deliver, operator_settings, register
from trimtab.handlers.watch_signs import WatchSigns
from trimtab.reconcile.desk import Desk
from trimtab.reconcile.queue import Backoff
from trimtab.reconcile.roll_call import RollCall

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 5.0
"""Between two starts of kopf, and between looks for our CRDs."""
END_SECONDS = 1.0
"""How long kopf may take to close its watches; nothing of ours is lost if it takes longer."""
SWEEPS = 5
"""How often tasks that a run of kopf left behind are asked to end before the next run may begin."""
LATE_SWEEPS = 300
"""How often they are asked beside it."""
LIVED_SECONDS = 30.0
"""A run that lasted so long makes up for the failures before it."""


class Operator:
    """kopf, for as long as somebody serves."""

    def __init__(
        self,
        access: Access,
        discovery: Discovery,
        desk: Desk,
        roll_call: RollCall,
        *,
        namespace: str,
        idle_seconds: float,
    ) -> None:
        self._access = access
        self._discovery = discovery
        self._desk = desk
        self._namespace = namespace
        self._idle_seconds = idle_seconds
        self._missing = ""
        kinds = {kind.plural: kind.kind for kind in KINDS}
        self._signs = WatchSigns(kinds, roll_call.begin)

    def trouble(self) -> str:
        """Why changes of our objects are not seen at present; empty where they are."""
        return self._missing or self._signs.trouble()

    async def serve(self) -> None:
        """Watch our kinds in one namespace until cancelled."""
        # kopf tells of every watch, task and try; what matters of it is told as metrics, probes and conditions.
        logging.getLogger("kopf").setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()
        backoff = Backoff(0.2)
        while True:
            await self._until_served()
            started = loop.time()
            failure = await self._run_once()
            if loop.time() - started > LIVED_SECONDS:
                backoff = Backoff(0.2)
            log.warning("the watches of our kinds ended and begin anew: %s", failure)
            self._signs.begin(failure)
            await asyncio.sleep(backoff.next_seconds(LONGEST_PAUSE_SECONDS, scatter=0.5))

    async def _until_served(self) -> None:
        """kopf looks for our CRDs once, when it starts: wait until they are there."""
        backoff = Backoff(0.2)
        while True:
            try:
                types = (await self._discovery.catalogue(fresh=True)).types
                absent = [kind for kind in KINDS if (kind.group, kind.version, kind.kind) not in types]
                missing = f"{absent[0].plural}.{absent[0].group} is not served" if absent else ""
                remedy = " (install the CRDs with `trimtab install --crds-only`)" if absent else ""
            except ApiError as error:
                missing, remedy = str(error), ""
            if missing and not self._missing:
                log.warning("our kinds cannot be watched: %s%s", missing, remedy)
            self._missing = missing + remedy
            if not missing:
                return
            await asyncio.sleep(backoff.next_seconds(LONGEST_PAUSE_SECONDS, scatter=0.5))

    async def _run_once(self) -> str:
        """One life of kopf; what it died of."""
        loop = asyncio.get_running_loop()

        def deliver(call: Callable[..., object], *arguments: Any) -> None:
            # Who ends late has nothing to tell any more: the next run lists all anew.
            if not run.outcome.done():
                loop.call_soon_threadsafe(call, *arguments)

        run = _Run(lambda: self._kopf(deliver))
        run.start()
        try:
            return await asyncio.shield(asyncio.wrap_future(run.outcome))
        finally:
            run.cancel()
            await asyncio.wait([asyncio.wrap_future(run.outcome)], timeout=END_SECONDS)

    async def _kopf(self, deliver: Deliver) -> None:
        """Until the first of kopf's tasks ends; raises what it died of.

        kopf's own end waits for all of them, and waits for ever where one wants to log in again when nobody does any
        more: here they get a moment.
        """
        registry = kopf.OperatorRegistry()
        register(registry, self._desk, deliver)
        sessions: list[aiohttp.ClientSession] = []
        self._register_login(registry, deliver, sessions)
        settings = operator_settings(idle_seconds=self._idle_seconds)
        tasks = await kopf.spawn_tasks(
            registry=registry, settings=settings, namespaces=[self._namespace], standalone=True
        )
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=END_SECONDS / 2)
            for session in sessions:
                await session.close()

    def _register_login(
        self, registry: kopf.OperatorRegistry, deliver: Deliver, sessions: list[aiohttp.ClientSession]
    ) -> None:
        async def login(**_: Any) -> kopf.AiohttpSession:
            session = self._access.open_session()
            sessions.append(session)
            session.trace_configs.append(self._signs.trace(deliver))
            authorization = await self._access.authorization()
            if authorization is not None:
                session.headers["Authorization"] = authorization
            return kopf.AiohttpSession(
                server=self._access.host, aiohttp_session=session, default_namespace=self._access.namespace
            )

        kopf.on.login(registry=registry)(login)


class _Run(threading.Thread):
    """A coroutine in a thread and loop of its own; a daemon, so that it never keeps the process from ending."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, None]]) -> None:
        super().__init__(name="kopf", daemon=True)
        self._begin = begin
        self._loop = asyncio.new_event_loop()
        # Tasks that fail beside the one that ends kopf are told of with pages of traceback otherwise.
        self._loop.set_exception_handler(lambda _loop, context: log.debug("kopf: %s", context.get("message")))
        # kopf forgets the watches of an orchestrator that dies; collected while they wait, they print a traceback.
        self._tasks: set[asyncio.Future[Any]] = set()
        self._loop.set_task_factory(self._held_task)
        self._task: asyncio.Task[None] | None = None
        self.outcome: Future[str] = Future()

    def run(self) -> None:
        self._task = self._loop.create_task(self._begin())
        self._loop.run_until_complete(asyncio.wait([self._task]))
        told = "cancelled"
        if not self._task.cancelled():
            error = self._task.exception()
            told = str(error) or type(error).__name__
        self._sweep(SWEEPS)
        self.outcome.set_result(told)
        # Collected while they wait, those that are slow to end would print a traceback.
        self._sweep(LATE_SWEEPS)
        self._loop.close()

    def _held_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **named)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> None:
        """Ask it to end; may be called from any thread, also after its end."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def _sweep(self, times: int) -> None:
        """End what the coroutine left behind.

        Asked more than once: before Python 3.12, `wait_for` swallows a cancellation that comes at the wrong moment.
        """
        for _ in range(times):
            left = set(self._tasks)
            if not left:
                break
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(left, timeout=END_SECONDS / 2 / SWEEPS))
