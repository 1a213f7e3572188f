"""The controller killed at random points, and weathered by random faults: the campaign's other two parts.

A cluster, a folder and how much of each flow in; what came of it flows out, as lines of a table and as part of a page.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table
from tests.campaign.storm import Weather, storm
from tests.faults.kills import OBJECTS, Kills
from tests.fixtures.lab import close_lab, make_lab

from trimtab.localcluster import LocalCluster

Tell = Callable[[str], None]


@dataclass
class Hardships:
    """`syncs` and `prunes` hold how many objects were made, or gone, at each kill."""

    syncs: Sequence[int] = ()
    prunes: Sequence[int] = ()
    weather: Weather | None = None
    complaints: list[str] = field(default_factory=list)

    def lines(self) -> list[tuple[str, str]]:
        """What to tell, as (what, how much)."""
        found = []
        if self.syncs:
            found += [("kill -9 in a first sync", _points(self.syncs)), ("kill -9 in a prune", _points(self.prunes))]
        if self.weather:
            calm = sorted(self.weather.calm)
            faults = ", ".join(f"{name} {count}" for name, count in sorted(self.weather.faults.items()))
            deeds = ", ".join(f"{name} {count}" for name, count in sorted(self.weather.deeds.items()))
            found += [
                ("rounds of faults", f"{self.weather.rounds}, seed {self.weather.seed}: {faults}"),
                ("meanwhile", deeds),
                ("end of the faults → all well", f"p50 {calm[len(calm) // 2]:.1f} s, worst {calm[-1]:.1f} s"),
            ]
        return [*found, ("complaints", str(len(self.complaints)))]

    def table(self) -> Table:
        """For the terminal."""
        made = Table("kills and faults", "")
        for what, much in self.lines():
            made.add_row(what, much)
        return made

    def section(self) -> str:
        """For the page of the campaign."""
        rows = "\n".join(f"| {what} | {much} |" for what, much in self.lines())
        complaints = "\n".join(f"- {complaint}" for complaint in self.complaints) or "None."
        return f"""
# Kills and faults

After each `kill -9` everything on record stands as declared, nothing is orphaned, and objects of others with all our
marks copied stay. In a round of faults, people commit, edit and delete while connections are cut, frozen or refused and
Git, the API server and the controller go down; afterwards every object is as Git has it, and none that nobody deleted
was made anew.

| | |
|---|---|
{rows}

## Complaints of kills and faults

{complaints}
"""


def _points(points: Sequence[int]) -> str:
    return f"{len(points)}, after {', '.join(str(point) for point in sorted(points))} of {OBJECTS + 1} objects"


def endure(cluster: LocalCluster, folder: Path, *, kills: int, rounds: int, seed: int, tell: Tell) -> Hardships:
    """So many kills of each kind, then so many rounds of faults."""
    found = Hardships()
    if kills:
        found.syncs = _kill(cluster, folder / "syncs", kills, seed, found, tell, prunes=False)
        found.prunes = _kill(cluster, folder / "prunes", kills, seed + 1, found, tell, prunes=True)
    if rounds:
        with storm(cluster, folder / "storm", seed) as weathered:
            found.weather = weathered.weather
            for _ in range(rounds):
                weathered.round()
                tell(f"round {weathered.weather.rounds}: all well after {weathered.weather.calm[-1]:.1f} s")
        found.complaints += found.weather.complaints
    return found


def _kill(
    cluster: LocalCluster, folder: Path, count: int, seed: int, found: Hardships, tell: Tell, *, prunes: bool
) -> list[int]:
    lab = make_lab(cluster, folder)
    series = Kills(lab, random.Random(seed))
    try:
        if prunes:
            series.plant_strangers()
        for _ in range(count):
            (series.prune if prunes else series.first_sync)()
            tell(f"killed after {series.points[-1]} objects")
    except AssertionError as failure:
        found.complaints.append(f"seed {seed}, kill {len(series.points)}: {failure}")
    finally:
        close_lab(lab)
    return series.points
