"""What the bench found of the monorepo, and the lines of the table that tell it.

Figures flow in from `measures`; lines flow out.
"""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from tests.bench.lines import MIB, Line, quantile
from tests.bench.processes import Memory

STATUS: Final = "applications.trimtab.dev/status"
SOURCE_STATUS: Final = "gitrepositories.trimtab.dev/status"
_GROWTH: Final = 1.05
"""How many times the memory after the first commits it may be after all of them: flat, but for the scatter."""


@dataclass(frozen=True, slots=True)
class FirstSync:
    """Seconds of the first fetch, of all renderings together, and from the creation of our objects to all being Ready.

    `writes` are the API writes by resource.
    """

    fetch_seconds: float
    ready_seconds: float
    renders: int
    render_seconds: float
    objects: int
    writes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Followed:
    """One commit until all Applications had told it.

    `plans` counts the Applications that planned something for it, `plan_seconds` are from the end of the fetch to such
    a plan (not a number where there is none); `told_seconds` from the poke until the one that it changes (or the first)
    and the last Application named the revision; `cpu_seconds` are the controller's, with all that it started.
    """

    fetch_seconds: float
    renders: int
    plans: int
    plan_seconds: float
    told_seconds: tuple[float, float]
    cpu_seconds: float
    writes: dict[str, int]

    @property
    def other_writes(self) -> dict[str, int]:
        """API writes that are not of a status."""
        return {resource: count for resource, count in self.writes.items() if resource not in (STATUS, SOURCE_STATUS)}


@dataclass(frozen=True, slots=True)
class InARow:
    """Commits as fast as each is applied: memory after the first few and after all, at rest."""

    few: int
    commits: int
    seconds: float
    fetch_seconds: float
    after_few: list[Memory]
    after_all: list[Memory]


@dataclass(slots=True)
class Monorepo:
    """All of it. `touching` are commits that change one Application, `readmes` those that change none."""

    files: int
    applications: int
    commits: int
    first: FirstSync | None = None
    touching: list[Followed] = field(default_factory=list)
    readmes: list[Followed] = field(default_factory=list)
    row: InARow | None = None

    @property
    def title(self) -> str:
        """What was measured."""
        return f"A monorepo of {self.files} files, {self.applications} Applications and {self.commits} commits"

    def lines(self) -> list[Line]:
        """As far as it was measured."""
        return [*self._first(), *self._touching(), *self._readmes(), *self._row()]

    def _first(self) -> list[Line]:
        first = self.first
        if first is None:
            return []
        of = f"of {self.applications} Applications, {first.objects} objects"
        return [
            Line("first sync: fetch of the mirror", first.fetch_seconds, "s"),
            Line("first sync: all Applications Ready", first.ready_seconds, "s", of),
            Line("first sync: renders", first.renders, "", of, self.applications),
            Line("first sync: seconds in renders, in all", first.render_seconds, "s"),
        ]

    def _touching(self) -> list[Line]:
        if not self.touching:
            return []
        of = f"of {len(self.touching)} commits"
        plans = [each.plan_seconds for each in self.touching]
        first, last = ([each.told_seconds[index] for each in self.touching] for index in (0, 1))
        fetches = [each.fetch_seconds for each in (*self.touching, *self.readmes)]
        return [
            Line("one Application touched: renders, at most", max(each.renders for each in self.touching), "", of, 1),
            Line("one Application touched: fetched → plan, p50", median(plans), "s", of, 0.5),
            Line("one Application touched: fetched → plan, longest", max(plans), "s", of, 0.5),
            _spread("one Application touched: commit → applied by it", first),
            _spread("one Application touched: commit → told by all", last),
            _spread("one Application touched: CPU", [each.cpu_seconds for each in self.touching]),
            _writes("one Application touched: writes but statuses", [each.other_writes for each in self.touching]),
            Line("fetch of a commit, p50", median(fetches), "s", f"of {len(fetches)}"),
            Line("fetch of a commit, longest", max(fetches), "s", f"of {len(fetches)}"),
        ]

    def _readmes(self) -> list[Line]:
        found = self.readmes
        if not found:
            return []
        of = f"of {len(found)} commits"
        statuses = [each.writes.get(STATUS, 0) / self.applications for each in found]
        others = sum(sum(each.other_writes.values()) for each in found)
        return [
            Line("README touched: renders", sum(each.renders for each in found), "", of, 0),
            Line("README touched: writes but statuses", others, "", of, 0),
            Line("README touched: status writes per Application", max(statuses), "", of, 1),
            _spread("README touched: commit → told by all", [each.told_seconds[1] for each in found]),
            _spread("README touched: CPU", [each.cpu_seconds for each in found]),
        ]

    def _row(self) -> list[Line]:
        row = self.row
        if row is None:
            return []
        few, all_ = (sum(each.pss_bytes for each in memory) for memory in (row.after_few, row.after_all))
        rss = [sum(each.rss_bytes for each in memory) / MIB for memory in (row.after_few, row.after_all)]
        after = f"after {row.commits} commits in a row"
        return [
            Line(f"{after}: seconds per commit", row.seconds / row.commits, "s"),
            Line(f"{after}: fetch of each, mean", row.fetch_seconds / row.commits, "s"),
            Line(f"RSS of all processes, after {row.few} commits", rss[0], "MiB"),
            Line(f"RSS of all processes, {after}", rss[1], "MiB", f"{len(row.after_all)} processes"),
            Line(f"PSS of all processes, after {row.few} commits", few / MIB, "MiB"),
            Line(f"PSS of all processes, {after}", all_ / MIB, "MiB"),
            Line(f"PSS {after} ÷ after {row.few}", all_ / few, "times", "", _GROWTH),
        ]


def _spread(what: str, seconds: list[float]) -> Line:
    return Line(what, quantile(seconds, 0.5), "s", f"up to {max(seconds):.2f}")


def _writes(what: str, written: list[dict[str, int]]) -> Line:
    total = sum((Counter(each) for each in written), Counter[str]())
    kinds = ", ".join(f"{count} {resource.partition('.')[0]}" for resource, count in sorted(total.items()))
    return Line(what, sum(total.values()) / len(written), "", kinds)
