"""The zygote: a small process that forks Git workers for the controller and takes them all down with it.

Run as `python -m trimtab.adapters.git.zygote FD` by `worker_pool`. On the control socket flow in `spawn` with the
worker's end of a socket, and `kill` with a process ID; the IDs of new workers flow out. It imports hardly anything,
so that forking is cheap and no thread or event loop is ever copied; workers import GitPython themselves.
"""

import contextlib
import ctypes
import os
import selectors
import signal
import socket
import struct
import sys

SPAWN = b"spawn"
KILL = b"kill "
PID = struct.Struct("!i")

_PR_SET_CHILD_SUBREAPER = 36


def main(control_fd: int) -> None:
    """Serve until the control socket closes, which it does however the controller ends."""
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    # Children of killed workers come here to be reaped: the controller may be PID 1 of its container, which does not.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wakeup_read, wakeup_write = socket.socketpair()
    for end in (wakeup_read, wakeup_write):
        end.setblocking(False)
    signal.set_wakeup_fd(wakeup_write.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    workers: set[int] = set()
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(wakeup_read, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if wakeup_read in ready:
            wakeup_read.recv(4096)
            reap(workers)
        if control in ready and not obey(control, workers):
            break
    for worker in workers:
        kill_group(worker)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def obey(control: socket.socket, workers: set[int]) -> bool:
    """Carry out one command; False where the controller has gone."""
    try:
        # What git runs must not hold the socket open when its worker dies.
        message, fds, _, _ = socket.recv_fds(control, 64, 1, socket.MSG_CMSG_CLOEXEC)
        if not message:
            return False
        if message == SPAWN and fds:
            pid = os.fork()
            if pid == 0:
                become_worker(control, fds[0])
            os.close(fds[0])
            workers.add(pid)
            control.send(PID.pack(pid))
    except ConnectionError:
        return False
    if message.startswith(KILL):
        (pid,) = PID.unpack(message[len(KILL) :])
        # Only what is still our own child: the number of a process that was reaped may be somebody else's by now.
        if pid in workers:
            kill_group(pid)
    return True


def become_worker(control: socket.socket, connection_fd: int) -> None:
    """In the child: lead a process group of its own, serve requests, end. Never returns."""
    status = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        from trimtab.adapters.git.worker import serve

        serve(socket.socket(fileno=connection_fd))
        status = 0
    finally:
        os._exit(status)


def reap(workers: set[int]) -> None:
    """Bury the dead; with a worker dies its group, while its number cannot yet be another's."""
    while True:
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if dead is None:
            return
        if dead.si_pid in workers:
            kill_group(dead.si_pid)
            workers.discard(dead.si_pid)
        os.waitpid(dead.si_pid, 0)


def kill_group(pid: int) -> None:
    """End a worker with everything it started, among them git and its transport."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Killed between fork and setsid it leads no group yet.
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
