"""`make bench`: speed, requests and memory of the controller, as ratios to the floor.

Flags flow in; a table, or JSON with `-o json`, flows out on stdout, progress on stderr. Exits 1 where an aim is missed
and `--strict` is given.
"""

import asyncio
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from tests.bench import campaign
from tests.bench.machine import Machine
from tests.bench.monorepo.campaign import FULL, Size
from tests.bench.monorepo.figures import Monorepo
from tests.bench.results import Results, page, table
from tests.bench.workload import OBJECTS, SEED

from trimtab.localcluster.progress import Silent

PAGE: Final = Path("docs/results/bench.md")
_QUICK: Final = 10
_WIDTH: Final = 100


class Output(StrEnum):
    """How the results are printed."""

    TABLE = "table"
    JSON = "json"


class Part(StrEnum):
    """What can be measured by itself."""

    APPLY = "apply"
    MONOREPO = "monorepo"


def main(
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of everything: to see that it works.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often the first apply is measured.")] = 3,
    applications: Annotated[int, typer.Option(min=1, max=50, help=f"Of {OBJECTS} objects each.")] = 10,
    idle_seconds: Annotated[float, typer.Option(min=1, help="How long rest is watched.")] = 60.0,
    pokes: Annotated[int, typer.Option(min=0, help="How often a commit is followed.")] = 10,
    repairs: Annotated[int, typer.Option(min=0, max=500, help="How many fields are edited.")] = 50,
    only: Annotated[Part | None, typer.Option(help="One part of the bench instead of all.")] = None,
    files: Annotated[int, typer.Option(min=1, help="Files of the monorepo.")] = FULL.files,
    monorepo_applications: Annotated[int, typer.Option(min=1, max=999, help="Its Applications.")] = FULL.applications,
    commits: Annotated[int, typer.Option(min=1, help="Commits that it begins with.")] = FULL.commits,
    followed: Annotated[int, typer.Option(min=1, help="Commits in a row that follow.")] = FULL.row,
    seed: Annotated[int, typer.Option(help="Where objects and edits come from.")] = SEED,
    output: Annotated[Output, typer.Option("--output", "-o", help="How the results are printed.")] = Output.TABLE,
    write: Annotated[bool, typer.Option("--write", help=f"Write {PAGE}, too.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where an aim is missed.")] = False,
) -> None:
    """Measure first apply, rest, reactions, memory and a monorepo on a control plane of the bench's own."""
    if quick:
        rounds, applications, idle_seconds = 1, max(applications // _QUICK, 1), idle_seconds / _QUICK
        pokes, repairs = max(pokes // _QUICK, 1), max(repairs // _QUICK, 1)
    if write and only:
        raise typer.BadParameter("the page shows all of the bench: leave --only out", param_hint="--write")
    size = Size(files, monorepo_applications, commits, few=min(FULL.few, followed), row=followed)
    size = size.tenth() if quick else size
    rounds = 0 if only is Part.MONOREPO else rounds
    plan = campaign.Plan(applications, rounds, idle_seconds, pokes, repairs, seed, None if only is Part.APPLY else size)
    results = Results(Machine.here(), applications, applications * OBJECTS)
    if plan.monorepo:
        results.monorepo = Monorepo(plan.monorepo.files, plan.monorepo.applications, plan.monorepo.commits)
    _run(plan, results)
    if output is Output.JSON:
        sys.stdout.write(orjson.dumps(results.document(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else _WIDTH)
        console.print(f"On {results.machine}", highlight=False)
        for section in results.sections():
            console.print(table(section))
    if write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(results, f"make bench{' ARGS=' if sys.argv[1:] else ''}{_quoted(sys.argv[1:])}"))
    if strict and any(line.met is False for line in results.lines()):
        raise typer.Exit(1)


def _quoted(arguments: list[str]) -> str:
    kept = [argument for argument in arguments if argument != "--write"]
    return f'"{" ".join(kept)}"' if kept else ""


def _run(plan: campaign.Plan, results: Results) -> None:
    console = Console(stderr=True)
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=plan.steps)
        done = -1

        started = time.monotonic()

        def tell(text: str) -> None:
            nonlocal done
            done += 1
            progress.update(task, completed=done, description=text)
            if not console.is_terminal:
                console.print(f"{time.monotonic() - started:6.1f} s  {text}", highlight=False)

        asyncio.run(campaign.run(plan, results, tell, Silent()))


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
