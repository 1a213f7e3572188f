"""Telling people what takes so long: a live line on a terminal, plain lines at intervals elsewhere.

`download`, `gobuild` and `cluster` report steps to a `Progress`; the CLI and the fixtures choose which one.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

PLAIN_INTERVAL_SECONDS: Final = 15.0


class Step(Protocol):
    """One thing under way."""

    def update(self, detail: str, *, done: float | None = None, total: float | None = None) -> None:
        """Say what is being done now and, where it can be counted, how much of how much is done."""


class Progress(Protocol):
    """Where steps are shown."""

    def step(self, title: str) -> "StepContext":
        """Open a step; it ends with the `with` block."""

    def note(self, text: str) -> None:
        """Say something that happened."""


class StepContext(Protocol):
    """What `with progress.step(...) as step` needs."""

    def __enter__(self) -> Step: ...

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...


class ConsoleProgress:
    """Progress on a rich console: bars with elapsed time on a terminal, lines every 15 seconds elsewhere."""

    def __init__(self, console: Console | None = None, *, interval_seconds: float = PLAIN_INTERVAL_SECONDS) -> None:
        self._console = console or Console(stderr=True)
        self._interval_seconds = interval_seconds

    def note(self, text: str) -> None:
        """Print one line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def step(self, title: str) -> StepContext:
        """A bar or lines, as the console allows."""
        return self._bar(title) if self._console.is_terminal else self._lines(title)

    @contextmanager
    def _bar(self, title: str) -> Iterator[Step]:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        with Bar(*columns, console=self._console, transient=True) as bar:
            yield _BarStep(bar, title)

    @contextmanager
    def _lines(self, title: str) -> Iterator[Step]:
        step = _LineStep(self, title)
        ended = threading.Event()
        ticker = threading.Thread(target=step.tick, args=(ended, self._interval_seconds), daemon=True)
        self.note(f"{title} ...")
        ticker.start()
        try:
            yield step
        finally:
            ended.set()
            ticker.join()
        self.note(f"{title}: done after {step.elapsed()}")


class _BarStep:
    def __init__(self, bar: Bar, title: str) -> None:
        self._bar = bar
        self._title = title
        self._task = bar.add_task(title, total=None)

    def update(self, detail: str, *, done: float | None = None, total: float | None = None) -> None:
        text = f"{self._title}: {detail}" if detail else self._title
        self._bar.update(self._task, description=text[:100], completed=done, total=total)


class _LineStep:
    def __init__(self, progress: ConsoleProgress, title: str) -> None:
        self._progress = progress
        self._title = title
        self._detail = ""
        self._started_seconds = time.monotonic()

    def update(self, detail: str, *, done: float | None = None, total: float | None = None) -> None:
        share = f" ({100 * done / total:.0f} %)" if done is not None and total else ""
        self._detail = f"{detail}{share}"

    def elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started_seconds), 60)
        return f"{minutes}:{seconds:02d}"

    def tick(self, ended: threading.Event, interval_seconds: float) -> None:
        while not ended.wait(interval_seconds):
            self._progress.note(f"{self._title}: {self._detail or 'working'} [{self.elapsed()}]")


class Silent:
    """Shows nothing: for callers that have no one to tell."""

    def note(self, text: str) -> None:
        """Say nothing."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:  # noqa: ARG002  the protocol has it
        """A step that nobody sees."""
        yield _SilentStep()


class _SilentStep:
    def update(self, detail: str, *, done: float | None = None, total: float | None = None) -> None:
        """Show nothing."""
