"""The pool of workers: starts them when there is work, replaces used ones, ends idle ones, kills late ones.

Requests flow in, answers or a `SourceError` flow out. `mirrors` calls it, from one event loop.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from trimtab.adapters.git import frames
from trimtab.adapters.git.limits import GitLimits
from trimtab.adapters.git.messages import Request, Warm, error_of, to_message
from trimtab.adapters.git.zygote_link import ZygoteGone, ZygoteLink
from trimtab.core.errors import Problem, SourceError


class WorkerLost(SourceError):
    """A worker ended in the midst of a request, which may have left the mirror half written."""


class MirrorUnreadable(SourceError):
    """A worker could not read the mirror's own files."""


@dataclass(eq=False, slots=True)
class _Worker:
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    uses: int = 0
    successor: "asyncio.Task[None] | None" = None
    """Prepares the worker that takes its place, from the last use that it was meant for."""
    idle: asyncio.TimerHandle | None = field(default=None)


class WorkerPool:
    """A bounded number of processes at work, apart for requests to servers and those for local files."""

    def __init__(self, limits: GitLimits) -> None:
        self._limits = limits
        self._zygote = ZygoteLink()
        self._spawning = asyncio.Lock()
        self._network_slots = asyncio.Semaphore(limits.network_workers)
        self._local_slots = asyncio.Semaphore(limits.local_workers)
        self._idle: list[_Worker] = []
        self._workers: set[_Worker] = set()
        self._warming: asyncio.Task[None] | None = None
        self._successors: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self) -> None:
        """Start the zygote, and have a first worker import GitPython before anybody asks for something."""
        self._zygote.start()
        self._warming = asyncio.ensure_future(self._warm())

    @property
    def pids(self) -> frozenset[int]:
        """Process IDs of the zygote and of all workers."""
        zygote = {self._zygote.pid} if self._zygote.pid else set()
        return frozenset({worker.pid for worker in self._workers} | zygote)

    async def call(self, request: Request, *, network: bool = False) -> dict[str, Any]:
        """One request and its answer; on cancellation, and so on a deadline, the worker is killed.

        Raises SourceError as the worker tells; WorkerLost where it ended, MirrorUnreadable where it found the mirror
        broken.
        """
        async with self._network_slots if network else self._local_slots:
            return await self._call(request)

    async def close(self) -> None:
        """End all workers and the zygote; no process and no descriptor is left."""
        self._closed = True
        if preparing := {*self._successors, *([self._warming] if self._warming else ())}:
            for task in preparing:
                task.cancel()
            await asyncio.wait(preparing)
        # A worker that is just being started is to be known before all are ended.
        async with self._spawning:
            for worker in list(self._workers):
                self._discard(worker)
        await self._zygote.close()

    async def _warm(self) -> None:
        # Nobody waits for it: whoever needs a worker next meets the same fault.
        with suppress(SourceError):
            worker = await self._new()
            worker.uses = -1  # warming is none
            await self._ask(worker, Warm())

    async def _call(self, request: Request) -> dict[str, Any]:
        if self._warming and not self._warming.done():
            await asyncio.wait([self._warming])
        return await self._ask(await self._take(), request)

    async def _ask(self, worker: _Worker, request: Request) -> dict[str, Any]:
        answer = None
        try:
            worker.writer.write(frames.encode(to_message(request, max_memory_bytes=self._limits.max_memory_bytes)))
            await worker.writer.drain()
            answer = await self._answer(worker)
        except (OSError, EOFError, ValueError):
            raise WorkerLost(_LOST) from None
        finally:
            # Without an answer nobody knows what it is doing, be it late, cancelled or mad.
            if answer is None:
                self._discard(worker)
            else:
                self._give_back(worker)
        error = error_of(answer)
        if error is None:
            return answer
        raise MirrorUnreadable(*error.problems) if answer["broken"] else error

    async def _answer(self, worker: _Worker) -> dict[str, Any]:
        (size,) = frames.HEADER.unpack(await worker.reader.readexactly(frames.HEADER.size))
        if size > frames.MAX_FRAME_BYTES:
            raise ValueError(size)
        return frames.decode(await worker.reader.readexactly(size))

    async def _take(self) -> _Worker:
        """The most recently used idle worker, so that the others age; else a new one."""
        while self._idle:
            worker = self._idle.pop()
            if worker.idle:
                worker.idle.cancel()
            if not worker.reader.at_eof():
                return worker
            self._discard(worker)
        return await self._new()

    async def _new(self) -> _Worker:
        starting = asyncio.ensure_future(self._start_worker())
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The zygote's answer must be read all the same; what it tells of is for the next request.
            starting.add_done_callback(self._adopt)
            raise

    async def _start_worker(self) -> _Worker:
        async with self._spawning:
            if self._closed:
                raise SourceError(_CLOSED)
            try:
                pid, connection = await self._zygote.spawn()
            except ZygoteGone:
                # Killed from outside; its workers end with their sockets. A new one is started once.
                await self._zygote.close()
                try:
                    pid, connection = await self._zygote.spawn()
                except ZygoteGone:
                    raise WorkerLost(_LOST) from None
            reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 20)
        worker = _Worker(pid, reader, writer)
        self._workers.add(worker)
        return worker

    def _adopt(self, starting: "asyncio.Task[_Worker]") -> None:
        if not starting.cancelled() and starting.exception() is None:
            self._give_back(starting.result())

    def _give_back(self, worker: _Worker) -> None:
        worker.uses += 1
        if self._closed or (worker.successor and worker.successor.done()):
            self._discard(worker)
            return
        if worker.uses >= self._limits.uses_per_worker and worker.successor is None:
            worker.successor = self._succeed(worker)
        worker.idle = asyncio.get_running_loop().call_later(self._limits.idle_seconds, self._retire, worker)
        self._idle.append(worker)

    def _succeed(self, worker: _Worker) -> "asyncio.Task[None]":
        """Prepare another one that takes its place; until then it serves on, so that nobody waits for an import."""
        task = asyncio.ensure_future(self._warm())
        self._successors.add(task)
        task.add_done_callback(self._successors.discard)
        task.add_done_callback(lambda _: self._retire(worker))
        return task

    def _retire(self, worker: _Worker) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
            self._discard(worker)

    def _discard(self, worker: _Worker) -> None:
        if worker.idle:
            worker.idle.cancel()
        self._workers.discard(worker)
        self._zygote.kill(worker.pid)
        worker.writer.transport.abort()


_LOST = Problem(
    "the Git worker ended unexpectedly",
    reason="GitWorkerLost",
    remedy="it is tried again; where this lasts, give the controller more memory",
    retry=True,
)
_CLOSED = Problem("the controller is stopping", reason="Stopping", retry=True)
