"""How the story looks: headings, what is typed, what is seen, and a live picture while something is waited for.

Sentences and `View`s flow in; a terminal gets colours and a picture that moves, a pipe plain lines.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trimtab.api.application import HEALTHY, READY, Application
from trimtab.cli.demo.tally import Row
from trimtab.cli.demo.watching import View
from trimtab.report.text import short_revision

_MARKS: Final = {"True": ("✔", "green"), "False": ("✘", "red"), "Unknown": ("…", "yellow")}


class Scene:
    """Where the story is told; `pause_seconds` are left to the reader before each act."""

    def __init__(self, console: Console, *, pause_seconds: float) -> None:
        self.console = console
        self._pause_seconds = pause_seconds
        self._acts = 0

    def act(self, title: str, text: str) -> None:
        """A new act."""
        if self._acts:
            time.sleep(self._pause_seconds)
        self._acts += 1
        self.console.print()
        self.console.print(Text(f"{self._acts}. {title}", style="bold cyan"))
        self.console.print(Text(f"   {text}"), soft_wrap=not self.console.is_terminal)

    def typed(self, command: str) -> None:
        """Something that a person does."""
        self._line("   $ ", command, "bold")

    def seen(self, text: str) -> None:
        """Something that happened, and was verified."""
        self._line("   ✔ ", text, "", mark_style="green")

    def detail(self, text: str) -> None:
        """More about it."""
        self._line("     ", text, "dim")

    def news(self, text: str) -> None:
        """Something that went wrong, as it should."""
        self._line("   ! ", text, "", mark_style="yellow")

    def _line(self, mark: str, text: str, style: str, *, mark_style: str = "dim") -> None:
        line = Text.assemble((mark, mark_style), (text, style))
        self.console.print(line, soft_wrap=not self.console.is_terminal)

    def watch(self, views: Iterable[View]) -> Iterator[View]:
        """Hand on the views, painting each where there is a terminal; the picture goes when the loop ends."""
        if not self.console.is_terminal:
            yield from views
            return
        with Live(console=self.console, transient=True, refresh_per_second=12) as live:
            for view in views:
                live.update(_picture(view))
                yield view

    def ending(self, rows: Sequence[Row]) -> None:
        """The table of everything that happened."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        table.add_column("what happened", no_wrap=True)
        for name in ("seconds", "reads", "writes"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("", overflow="fold")
        for row in rows:
            table.add_row(row.title, f"{row.seconds:.2f}", str(row.reads), str(row.writes), row.remark)
        self.console.print()
        self.console.print(table)
        counted = "Reads and writes: the controller's requests in the API server's audit log, but for watches."
        self.console.print(Text(counted, style="dim"))


def _picture(view: View) -> RenderableType:
    table = Table.grid(padding=(0, 1), pad_edge=True)
    for _ in range(6):
        table.add_column(no_wrap=True)
    for name, application in sorted(view.applications.items()):
        table.add_row(Text(f"   {name}", style="bold"), *_cells(application))
    return table


def _cells(application: Application) -> tuple[RenderableType, ...]:
    status = application.status
    count = status.inventory
    ready, total = (count.ready, count.objects) if count else (0, 0)
    return (
        _mark(application, READY),
        _mark(application, HEALTHY),
        ProgressBar(total=max(total, 1), completed=ready, width=12),
        Text(f"{ready}/{total}"),
        Text(short_revision(status.last_applied_revision or ""), style="dim"),
    )


def _mark(application: Application, kind: str) -> Text:
    condition = application.status.condition(kind)
    mark, style = _MARKS[condition.status if condition else "Unknown"]
    return Text(f"{mark} {kind}", style=style)
