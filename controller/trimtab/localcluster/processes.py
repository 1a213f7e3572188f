"""Starting and stopping components: processes that die with us or outlive us, and are known again later.

`cluster` hands in argv and a log file and gets a `ProcessRecord`, which `state` keeps on disk; nothing is ever killed
by its pid alone.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import psutil

_LAUNCHER: Final = str(Path(__file__).with_name("launcher.py"))
_START_TOLERANCE_SECONDS: Final = 2.0
_KILL_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.01


class Lifetime(StrEnum):
    """How long a component lives."""

    ATTACHED = "attached"
    """Until this process ends, however it ends (on Linux; elsewhere until it is stopped)."""
    DETACHED = "detached"
    """Until somebody stops it."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process as it can be told from a later one with the same pid; `started_seconds` since the epoch."""

    pid: int
    started_seconds: float
    program: str


class _Spawner:
    """One thread that starts all attached processes.

    The signal that the kernel sends on the parent's death is tied to the thread that forked: started from a thread that
    ends (a pool's, a test's), a component would die with it. This one lives as long as the process.
    """

    def __init__(self) -> None:
        self._requests: SimpleQueue[tuple[Callable[[], int], Future[int]]] = SimpleQueue()
        self.pid = os.getpid()
        threading.Thread(target=self._serve, name="trimtab-spawner", daemon=True).start()

    def _serve(self) -> None:
        while True:
            spawn, future = self._requests.get()
            try:
                future.set_result(spawn())
            except OSError as error:
                future.set_exception(error)

    def run(self, spawn: Callable[[], int]) -> int:
        future: Future[int] = Future()
        self._requests.put((spawn, future))
        return future.result()


_spawners: list[_Spawner] = []
_spawners_lock = threading.Lock()


def _spawner() -> _Spawner:
    with _spawners_lock:
        # A forked child inherits the object but not its thread.
        if not _spawners or _spawners[-1].pid != os.getpid():
            _spawners[:] = [_Spawner()]
        return _spawners[-1]


def spawn(argv: Sequence[str], *, log: Path, environment: Mapping[str, str], lifetime: Lifetime) -> ProcessRecord:
    """Start `argv` with stdout and stderr appended to `log`; raises OSError where nothing can be started.

    That the program itself cannot be executed shows as its early end, and in the log.
    """
    command = [sys.executable, "-I", "-S", _LAUNCHER, lifetime, str(os.getpid()), *argv]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = _spawner().run(lambda: os.posix_spawn(command[0], command, dict(environment), file_actions=actions))
    return ProcessRecord(pid, _started(pid), argv[0])


def _started(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def _find(record: ProcessRecord) -> psutil.Process | None:
    """The living process that the record means, else None; also reaps it where it was ours and has ended."""
    try:
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.started_seconds) > _START_TOLERANCE_SECONDS:
            return None
        # A dead leader may have threads that still hold its files and ports.
        if process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1:
            _reap(record.pid)
            return None
        # Shortly after the start the program is an argument of the launcher; one that is dying has none any more.
        arguments = _arguments(process)
        return process if not arguments or record.program in arguments else None
    except psutil.Error:
        return None


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.ZombieProcess:
        return []


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def alive(record: ProcessRecord) -> bool:
    """Whether that very process still runs."""
    return _find(record) is not None


def stop(records: Iterable[ProcessRecord], *, grace_seconds: float = 0.0) -> None:
    """End processes and wait until they are gone: SIGTERM and `grace_seconds` to comply, then SIGKILL.

    Records whose process has ended, or whose pid belongs to another process by now, are passed over.
    """
    wanted = list(records)
    if grace_seconds > 0:
        _signal_all(wanted, signal.SIGTERM)
        _wait_gone(wanted, timeout_seconds=grace_seconds)
    _signal_all(wanted, signal.SIGKILL)
    _wait_gone(wanted, timeout_seconds=_KILL_SECONDS)


def _signal_all(records: Iterable[ProcessRecord], number: signal.Signals) -> None:
    for record in records:
        if process := _find(record):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def _wait_gone(records: Sequence[ProcessRecord], *, timeout_seconds: float) -> None:
    # Not by psutil's own wait: it takes a process that its new parent is slow to reap for a living one.
    deadline = time.monotonic() + timeout_seconds
    while any(map(alive, records)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
