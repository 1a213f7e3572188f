"""Becomes a component: ties its life to the parent (or unties it), then replaces itself by the program.

In: `launcher.py attached|detached PARENT_PID PROGRAM ARGUMENT...`, run by `processes` in an interpreter of its own with
`-I -S`; out: the program, under the same pid. A process of its own is needed because what `prctl` sets has to be set
between fork and exec, where a program with threads must run no Python.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _die_with_parent(parent_pid: int) -> None:
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # A parent that died before the call above sends no signal any more.
    if os.getppid() != parent_pid:
        sys.exit("the parent is gone")


def main(arguments: list[str]) -> None:
    """Run the program named in `arguments`; returns only by raising OSError where it cannot be executed."""
    lifetime, parent_pid, *argv = arguments
    # Neither a terminal's Ctrl-C nor its end may reach a component directly: whoever started it decides.
    os.setsid()
    # What the shell or a test runner left open (pipes above all) must not stay open for the life of a server.
    os.closerange(3, os.sysconf("SC_OPEN_MAX") if sys.platform == "darwin" else 65536)
    if lifetime == "attached":
        _die_with_parent(int(parent_pid))
    os.execv(argv[0], argv)  # noqa: S606  no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
