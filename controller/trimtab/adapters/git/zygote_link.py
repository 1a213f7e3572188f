"""The main process' end of the zygote: starts it, asks it for workers, has them killed.

`worker_pool` calls it; connected sockets and process IDs flow out.
"""

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import trimtab
from trimtab.adapters.git.zygote import KILL, PID, SPAWN

_END_SECONDS: Final = 5.0


class ZygoteGone(ConnectionError):
    """The zygote has ended; the next `start` makes a new one."""


class ZygoteLink:
    """One zygote process. Not for two tasks at once: the pool holds a lock."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The zygote's process ID, None where none runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the zygote unless it runs. It is a fresh interpreter, so the threads of this one do not matter."""
        if self._process and self._process.poll() is None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "trimtab.adapters.git.zygote", str(theirs.fileno())],
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "PYTHONPATH": str(Path(trimtab.__file__).parent.parent),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Out of reach of the terminal's Ctrl-C: it ends when this process does.
                start_new_session=True,
            )
        if self._control:
            self._control.close()
        ours.setblocking(False)
        self._control = ours

    async def spawn(self) -> tuple[int, socket.socket]:
        """A new worker: its process ID and our end of its socket. Raises ZygoteGone."""
        self.start()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ExitStack() as undo:
            undo.callback(ours.close)
            try:
                with theirs:
                    socket.send_fds(self._control, [SPAWN], [theirs.fileno()])
                answer = await asyncio.get_running_loop().sock_recv(self._control, PID.size)
            except OSError:
                raise ZygoteGone from None
            if len(answer) != PID.size:
                raise ZygoteGone
            undo.pop_all()
        return PID.unpack(answer)[0], ours

    def kill(self, pid: int) -> None:
        """Have a worker killed with its process group. Closing its socket does so too, unless it is wedged."""
        if self._control:
            with suppress(OSError):
                self._control.send(KILL + PID.pack(pid))

    async def close(self) -> None:
        """End the zygote, which ends the workers, and wait for it."""
        process, control = self._process, self._control
        self._process = self._control = None
        if control:
            control.close()
        if process:
            try:
                await asyncio.to_thread(process.wait, _END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)
