"""`make campaign`: random mutations over real applications, on a control plane of the campaign's own.

Flags flow in; progress and complaints flow out on stderr, and a page in docs/results. Exits 1 where anything was
missed, told falsely, not put back, or fought over without end.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from tests.campaign.campaign import Campaign
from tests.campaign.lab import corpus_folder
from tests.campaign.page import page, table
from tests.campaign.stage import stage

from trimtab.localcluster import LocalCluster
from trimtab.localcluster.progress import ConsoleProgress

PAGE: Final = Path("docs/results/campaign.md")
MUTATIONS: Final = 200
SEED: Final = 20261


def main(
    mutations: Annotated[int, typer.Option(min=1, help="How many.")] = MUTATIONS,
    seed: Annotated[int, typer.Option(help="All choices follow from it.")] = SEED,
    write: Annotated[bool, typer.Option(help=f"Write {PAGE}.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell every mutation.")] = False,
) -> None:
    """Mutate managed objects at random and check what is told and put back."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    corpus = corpus_folder()
    if not corpus.is_dir():
        console.print(f"no example repositories in {corpus} (set TRIMTAB_CORPUS): only objects of our own are mutated")
    started = time.monotonic()

    def tell(text: str) -> None:
        if verbose or "!" in text:
            console.print(f"{time.monotonic() - started:6.1f} s {text}", markup=False)

    with tempfile.TemporaryDirectory(prefix="trimtab-campaign-") as name:
        folder = Path(name)
        with (
            LocalCluster(name="campaign", folder=folder / "cluster", progress=ConsoleProgress()) as cluster,
            stage(cluster, folder, corpus if corpus.is_dir() else None) as (lab, targets),
        ):
            console.print(f"{len(targets)} objects at rest after {time.monotonic() - started:.0f} s")
            try:
                tally = Campaign(lab, targets, seed, tell=tell).run(mutations)
            finally:
                log = [line for line in lab.controller.log().splitlines() if "Traceback" in line]
    if log:
        tally.complaints.append(f"the controller's log holds {len(log)} tracebacks")
    seconds = time.monotonic() - started
    console.print(table(tally, seconds))
    if write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(tally, seconds, " ".join(["make campaign", *_arguments()])))
    sys.exit(1 if tally.complaints else 0)


def _arguments() -> list[str]:
    return [f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else []


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
