"""`make campaign`: random mutations over real applications, kills and faults, on a control plane of the campaign's own.

Flags flow in; progress and complaints flow out on stderr, and a page in docs/results. Exits 1 where anything was
missed, told falsely, not put back, fought over without end, orphaned or lost.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from tests.campaign.campaign import SEED, Campaign, Tally
from tests.campaign.git_faults.campaign import play
from tests.campaign.hardships import endure
from tests.campaign.lab import corpus_folder
from tests.campaign.page import page, table
from tests.campaign.stage import stage

from trimtab.localcluster import LocalCluster
from trimtab.localcluster.progress import ConsoleProgress

PAGE: Final = Path("docs/results/campaign.md")
MUTATIONS: Final = 200
KILLS: Final = 20
ROUNDS: Final = 30
GIT_FAULTS: Final = 300


def main(
    mutations: Annotated[int, typer.Option(min=0, help="How many.")] = MUTATIONS,
    kills: Annotated[int, typer.Option(min=0, help="How many of a first sync, and of a prune.")] = KILLS,
    faults: Annotated[int, typer.Option(min=0, help="How many rounds of faults.")] = ROUNDS,
    git_faults: Annotated[int, typer.Option(min=0, help="How many faults of the git server.")] = GIT_FAULTS,
    git_fault: Annotated[list[int] | None, typer.Option(help="Only this one, by its number; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="All choices follow from it.")] = SEED,
    write: Annotated[bool, typer.Option(help=f"Write {PAGE}.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell every step.")] = False,
) -> None:
    """Mutate managed objects at random, kill the controller, fail all around it, and check what becomes of it."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    started = time.monotonic()

    def tell(text: str) -> None:
        if verbose or "!" in text:
            console.print(f"{time.monotonic() - started:6.1f} s {text}", markup=False)

    parts, complaints = [], 0
    with tempfile.TemporaryDirectory(prefix="trimtab-campaign-") as name:
        folder = Path(name)
        with LocalCluster(name="campaign", folder=folder / "cluster", progress=ConsoleProgress()) as cluster:
            if mutations:
                tally = _mutate(cluster, folder, mutations, seed, console, tell)
                seconds = time.monotonic() - started
                console.print(table(tally, seconds))
                parts.append(page(tally, seconds, " ".join(["make campaign", *_arguments()])))
                complaints += len(tally.complaints)
            if kills or faults:
                hard = endure(cluster, folder / "hardships", kills=kills, rounds=faults, seed=seed, tell=tell)
                console.print(hard.table())
                parts.append(hard.section())
                complaints += len(hard.complaints)
            numbers = git_fault or range(git_faults)
            if numbers:
                faulty = play(cluster, folder / "git-faults", numbers, seed=seed, tell=tell)
                console.print(faulty.table())
                parts.append(faulty.section())
                complaints += len(faulty.complaints)
    if write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text("".join(parts).lstrip())
    sys.exit(1 if complaints else 0)


def _mutate(
    cluster: LocalCluster, folder: Path, mutations: int, seed: int, console: Console, tell: Callable[[str], None]
) -> Tally:
    corpus = corpus_folder()
    if not corpus.is_dir():
        console.print(f"no example repositories in {corpus} (set TRIMTAB_CORPUS): only objects of our own are mutated")
    with stage(cluster, folder, corpus if corpus.is_dir() else None) as (lab, targets):
        console.print(f"{len(targets)} objects at rest")
        tally = Campaign(lab, targets, seed, tell=tell).run(mutations)
        log = [line for line in lab.controller.log().splitlines() if "Traceback" in line]
    if log:
        tally.complaints.append(f"the controller's log holds {len(log)} tracebacks")
    return tally


def _arguments() -> list[str]:
    return [f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else []


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
