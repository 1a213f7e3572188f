"""`trimtab demo`: the whole story on a real control plane, told live.

Flags flow in; the story flows to the terminal. Everything it starts ends with it, and nothing is left behind.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

_POLL_SECONDS: Final = 0.5
_READING_SECONDS: Final = 1.0


class _Ended(BaseException):
    """A signal asked for the end."""


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit at the end of the story instead of staying up.")] = False,
    pause_seconds: Annotated[
        float | None, typer.Option("--pause", min=0, help="Seconds between acts; by default 1 on a terminal.")
    ] = None,
) -> None:
    """Play Trimtab's story on a real control plane: sync, commit, hand edit, deletion, broken commit, revert.

    Needs no cluster and no Docker: the programs of the control plane are fetched or built the first time. Each step is
    verified in the cluster. Exits 0 at the end of the story, 2 where a step did not happen.

    Example: trimtab demo --once
    """
    from rich.console import Console

    from trimtab.cli.demo.ending import commands_to_try
    from trimtab.cli.demo.scene import Scene
    from trimtab.cli.demo.stage import Stage
    from trimtab.cli.demo.story import Story
    from trimtab.localcluster import ClusterError
    from trimtab.localcluster.progress import ConsoleProgress

    console = Console(highlight=False)
    pause = (_READING_SECONDS if console.is_terminal and not once else 0.0) if pause_seconds is None else pause_seconds
    scene = Scene(console, pause_seconds=pause)
    started = time.monotonic()
    with _signals() as ended:
        try:
            with Stage(ConsoleProgress(console)) as stage:
                took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stage.times.items())
                console.print(f"Ready after {time.monotonic() - started:.1f} s ({took})", markup=False)
                rows = Story(stage, scene).tell()
                scene.ending(rows)
                if once:
                    return
                commands_to_try(console, stage)
                ended.arm()
                while not ended.event.wait(_POLL_SECONDS):
                    if not stage.controller.running:
                        raise ClusterError(f"the controller ended: {stage.controller.log()[-1000:]}")
                console.print("\nEverything ends with the demo.")
        except _Ended:
            typer.echo("ended before the story was over", err=True)
            sys.exit(130)


class _Ending:
    """What a signal does: end the story at once, or, once armed, end the waiting."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._armed = False

    def arm(self) -> None:
        """From now on the end is a good one."""
        self._armed = True

    def __call__(self, *_: object) -> None:
        self.event.set()
        if not self._armed:
            raise _Ended


@contextmanager
def _signals() -> Iterator[_Ending]:
    """SIGINT and SIGTERM end the demo in good order; they have their old meaning again afterwards."""
    ending = _Ending()
    old = {number: signal.signal(number, ending) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
