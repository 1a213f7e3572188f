"""What came of the campaign of git faults: added up here, told as a table and as a section of the campaign's page."""

import os
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.table import Table
from tests.campaign.git_faults.rest import Level
from tests.campaign.git_faults.strikes import Run, Transport

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run; times in seconds. `reason` is what Ready said, nothing where the fetch went through.

    `beyond_seconds` is by how much that came later than spec.timeout, negative where it came before; `again` is how
    often it was asked anew, because the time was over before the fault struck.
    """

    run: Run
    reason: str = ""
    told_seconds: float = 0.0
    beyond_seconds: float = 0.0
    mended_seconds: float = 0.0
    again: int = 0
    complaints: tuple[str, ...] = ()


@dataclass
class Tally:
    """`complaints` is empty where all went well. `levels`: those at rest, before and after the runs."""

    seed: int
    timeouts: Mapping[Transport, float]
    margin_seconds: float
    results: list[Result] = field(default_factory=list)
    prunes: int = 0
    deletes_within: int = 0
    rests: int = 0
    levels: tuple[Level, ...] = ()
    seconds: float = 0.0
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    complaints: list[str] = field(default_factory=list)

    def lines(self) -> list[tuple[str, str]]:
        """Everything worth telling, as (what, how much)."""
        runs = [result.run for result in self.results]
        refused = [result for result in self.results if result.reason]
        ways = ["first clone" if run.first else "fetch" for run in runs]
        ways += ["of which pinned to a commit" for run in runs if run.pinned]
        first, last = self.levels[0], self.levels[-1]
        grown = [f"{a / _MIB:.0f} → {b / _MIB:.0f} MiB" for a, b in zip(first.rss_bytes, last.rss_bytes, strict=False)]
        timeouts = ", ".join(f"{transport} {seconds:g} s" for transport, seconds in self.timeouts.items())
        return [
            ("runs", f"{len(runs)}, seed {self.seed}"),
            ("spec.timeout", timeouts),
            ("over", _counts(str(run.transport) for run in runs)),
            ("into", _counts(ways)),
            ("faults", _counts(str(run.strike.fault) for run in runs)),
            ("struck", _counts(str(run.strike.phase) for run in runs)),
            ("told as", _counts(result.reason for result in refused)),
            ("not told, for the fetch went through", str(len(self.results) - len(refused))),
            ("asked for → Ready False", _spread([result.told_seconds for result in refused])),
            ("asked for → Ready False, beyond spec.timeout", self._beyond()),
            ("out of time before the fault struck, asked again", str(sum(each.again for each in self.results))),
            ("fault ends → applied and pruned", _spread([result.mended_seconds for result in self.results])),
            ("objects deleted while a fault lasted", str(self.deletes_within)),
            ("objects pruned after it, as declared", str(self.prunes)),
            ("at rest: processes", f"{first.processes} → {last.processes}"),
            ("at rest: open descriptors, of controller and zygote", f"{first.descriptors} → {last.descriptors}"),
            ("at rest: of these sockets", f"{first.sockets} → {last.sockets}"),
            ("at rest: unfinished files, strays", f"{len(last.unfinished)}, {len(last.strays)}"),
            ("looks at rest", str(self.rests)),
            ("memory of controller and zygote", ", ".join(grown)),
            ("load before the start", f"{self.load:.2f}"),
            ("duration, set-up included", f"{self.seconds:.0f} s"),
            ("complaints", str(len(self.complaints))),
        ]

    def table(self) -> Table:
        """For the terminal."""
        made = Table("git faults", "")
        for what, much in self.lines():
            made.add_row(what, much)
        return made

    def section(self) -> str:
        """For the page of the campaign."""
        rows = "\n".join(f"| {what} | {much} |" for what, much in self.lines())
        complaints = "\n".join(f"- {complaint}" for complaint in self.complaints) or "None."
        return f"""
# Faults of the git server

The controller fetches from a real git server, over smart HTTP with and without TLS and from a real sshd, through a
proxy that strikes at a byte of a phase which the seed chooses. For each run a commit is made that changes, adds and, in
half of them, removes manifests. While the fault lasts, Ready of the GitRepository must tell it in time, with a reason
that fits the fault, without credentials; the last artifact stays, and nothing is deleted, which the API server's audit
log proves. When it ends, the commit is applied, what it removed is pruned, and every other object is still the same
one. Between blocks of runs, processes, descriptors and files must be back at the level of before.

| | |
|---|---|
{rows}

## Complaints of faults of the git server

{complaints}
"""

    def _beyond(self) -> str:
        """How much later than the deadline it was told; most faults are told before."""
        late = sum(1 for result in self.results if result.beyond_seconds > self.margin_seconds)
        worst = max((result.beyond_seconds for result in self.results), default=0.0)
        return f"worst {worst:+.2f} s; {late} by more than {self.margin_seconds:g} s"


def _counts(things: Iterable[str]) -> str:
    return ", ".join(f"{thing} {count}" for thing, count in sorted(Counter(things).items())) or "none"


def _spread(times: Sequence[float]) -> str:
    if not times:
        return "none"
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"p50 {statistics.median(ordered):.2f} s, p99 {p99:.2f} s, worst {ordered[-1]:.2f} s ({len(times)})"
