"""What is being waited for: a live line on a terminal, a line at each change elsewhere; always on stderr.

Verbs that wait hand in sentences as they learn them.
"""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class Ticker:
    """A context manager; `show` replaces the sentence."""

    def __init__(self, title: str, *, console: Console | None = None) -> None:
        self._title = title
        self._console = console or Console(stderr=True)
        self._shown = ""
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(self._title)
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, sentence: str) -> None:
        """Say what is going on now; the same again is not repeated."""
        if sentence == self._shown:
            return
        self._shown = sentence
        text = f"{self._title}: {sentence}"
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(text))
        else:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
