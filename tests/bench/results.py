"""What the bench found, and how it is shown: a table for people, JSON for programs, a page for the documentation.

Figures flow in from `measures`; text flows out. Aims are the project's own, and each is told as met or missed.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rich.table import Table
from tests.bench.lines import MIB, Line, Section, middle, quantile
from tests.bench.machine import Machine
from tests.bench.monorepo.figures import Monorepo
from tests.bench.processes import Memory

_MIX: Final = (
    "Namespaces, ConfigMaps, Secrets, ServiceAccounts, Roles and RoleBindings, Services, NetworkPolicies, "
    "PodDisruptionBudgets and Deployments (of no or one replica). Floor, kubectl and Trimtab apply the same objects in "
    "namespaces of their own, in an order that turns from round to round, each once the control plane is at rest."
)

_MONOREPO: Final = (
    "The monorepo's Applications are plain folders and kustomize overlays over shared bases, half and half; all other "
    "files are read by none. Renders, plans and fetches are counted by the controller's metrics, writes in the API "
    "server's audit log. A plan's time begins when the fetch has ended. Of 200 commits in a row one third changes an "
    "Application; each comes as soon as the last one was applied, or seen where it changes nothing."
)


@dataclass(frozen=True, slots=True)
class Plain:
    """What a program took that just applies: seconds by the clock, and of CPU."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class FirstApply:
    """Seconds from the creation of our custom resources; CPU seconds and requests by verb until all were healthy."""

    ready_seconds: float
    healthy_seconds: float
    cpu_seconds: float
    requests: dict[str, int]


@dataclass(frozen=True, slots=True)
class Round:
    """The same objects three times, in namespaces of their own."""

    floor: Plain
    kubectl: Plain
    trimtab: FirstApply

    @property
    def against_floor(self) -> float:
        """How many times the floor's time the first apply took."""
        return self.trimtab.ready_seconds / self.floor.seconds

    @property
    def against_kubectl(self) -> float:
        """How many times kubectl's time the first apply took."""
        return self.trimtab.ready_seconds / self.kubectl.seconds


@dataclass(frozen=True, slots=True)
class Idle:
    """Rest, watched for `seconds`. `asked` shows the first requests, where there were any."""

    seconds: float
    requests_per_minute: float
    watches_renewed: int
    cpu_seconds_per_minute: float
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Poke:
    """Seconds from the annotation to the new artifact, and to the Application that it changes being applied."""

    seen_seconds: float
    applied_seconds: float


@dataclass(frozen=True, slots=True)
class Repair:
    """Seconds from an edit to the declared value's return."""

    kind: str
    field: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Restart:
    """A restart with nothing changed, until the controller was quiet. `lists` counts streamed initial lists, too."""

    ready_seconds: float
    lists: int
    writes: int
    requests: int
    written: tuple[str, ...]


@dataclass(slots=True)
class Results:
    """Everything one run found."""

    machine: Machine
    applications: int
    objects: int
    rounds: list[Round] = field(default_factory=list)
    idle: Idle | None = None
    at_rest: list[Memory] = field(default_factory=list)
    after_work: list[Memory] = field(default_factory=list)
    peak_rss_bytes: int = 0
    pokes: list[Poke] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    restart: Restart | None = None
    monorepo: Monorepo | None = None

    def document(self) -> dict[str, Any]:
        """For `-o json`: the figures as measured, and the lines of the table."""
        lines = [asdict(line) | {"met": line.met} for line in self.lines()]
        return {**asdict(self), "lines": lines}

    def sections(self) -> list[Section]:
        """What was measured, each with the lines of its table."""
        title = f"{self.applications} Applications, {self.objects} objects"
        found = [Section(title, [*_applies(self), *_rests(self), *_reactions(self), *_restarts(self)])]
        if self.monorepo is not None:
            found.append(Section(self.monorepo.title, self.monorepo.lines()))
        return [section for section in found if section.lines]

    def lines(self) -> list[Line]:
        """All lines, as far as they were measured."""
        return [line for section in self.sections() for line in section.lines]


def table(section: Section) -> Table:
    """For the terminal."""
    shown = Table(title=section.title)
    for name, justify in (("", "left"), ("measured", "right"), ("spread", "left"), ("aim", "right"), ("", "left")):
        shown.add_column(name, justify="right" if justify == "right" else "left")
    for line in section.lines:
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[line.met]
        shown.add_row(line.what, line.number, line.spread, line.aimed, verdict)
    return shown


def page(results: Results, command: str) -> str:
    """For docs/results: Markdown."""
    verbs = results.rounds[-1].trimtab.requests if results.rounds else {}
    asked = ", ".join(f"{count} {verb}" for verb, count in verbs.items())
    processes = ", ".join(
        f"{each.name} {each.rss_bytes / MIB:.0f} MiB (its share {each.pss_bytes / MIB:.0f})" for each in results.at_rest
    )
    return "\n".join(
        [
            "# Bench",
            "",
            f"`{command}` on {results.machine}.",
            "",
            f"{results.applications} Applications with {results.objects} objects in all: {_MIX}",
            *(line for section in results.sections() for line in _markdown(section)),
            f"Requests of the last first apply until all was healthy: {asked}.",
            "",
            f"Processes at rest: {processes}.",
            "",
            *([_MONOREPO, ""] if results.monorepo else []),
        ]
    )


def _markdown(section: Section) -> list[str]:
    rows = [
        f"| {line.what} | {line.number} | {line.spread} | {line.aimed} | {line.verdict} |" for line in section.lines
    ]
    head = ["| | measured | spread | aim | |", "|---|---:|---|---:|---|"]
    return ["", f"## {section.title}", "", *head, *rows, ""]


def _applies(results: Results) -> list[Line]:
    rounds = results.rounds
    if not rounds:
        return []
    return [
        middle("first apply: Trimtab", [each.trimtab.ready_seconds for each in rounds], "s"),
        middle("first apply: the floor", [each.floor.seconds for each in rounds], "s"),
        middle("first apply: kubectl apply --server-side", [each.kubectl.seconds for each in rounds], "s"),
        middle("first apply ÷ the floor", [each.against_floor for each in rounds], "times", aim=1.5),
        middle("first apply ÷ kubectl", [each.against_kubectl for each in rounds], "times"),
        middle("first apply until all is healthy", [each.trimtab.healthy_seconds for each in rounds], "s"),
        middle("CPU of a first apply: Trimtab", [each.trimtab.cpu_seconds for each in rounds], "s"),
        middle("CPU of a first apply: the floor", [each.floor.cpu_seconds for each in rounds], "s"),
        middle("CPU of a first apply: kubectl", [each.kubectl.cpu_seconds for each in rounds], "s"),
    ]


def _rests(results: Results) -> list[Line]:
    lines = []
    if results.idle is not None:
        over = f"over {results.idle.seconds:g} s"
        lines += [
            Line("requests per idle minute", results.idle.requests_per_minute, "", over, 0),
            Line("CPU seconds per idle minute", results.idle.cpu_seconds_per_minute, "s", over),
        ]
    for name, memory, aim in (
        ("at rest", results.at_rest, 150.0),
        ("after the edits", results.after_work, None),
    ):
        if memory:
            rss, pss = (sum(sizes) / MIB for sizes in _sizes(memory))
            lines.append(Line(f"RSS of all processes, {name}", rss, "MiB", f"{len(memory)} processes", aim))
            lines.append(Line(f"PSS of all processes, {name}", pss, "MiB"))
    if results.peak_rss_bytes:
        lines.append(Line("RSS of all processes, peak", results.peak_rss_bytes / MIB, "MiB", "sampled every 0.1 s"))
    return lines


def _sizes(memory: list[Memory]) -> tuple[list[int], list[int]]:
    return [each.rss_bytes for each in memory], [each.pss_bytes for each in memory]


def _reactions(results: Results) -> list[Line]:
    lines = []
    if results.pokes:
        seen, applied = (
            [getattr(each, name) for each in results.pokes] for name in ("seen_seconds", "applied_seconds")
        )
        lines += [
            middle("commit → seen after a poke", seen, "s", aim=0.7),
            middle("commit → applied after a poke", applied, "s"),
        ]
    if results.repairs:
        seconds = [each.seconds for each in results.repairs]
        of = f"of {len(seconds)}"
        lines.append(Line("drift → repaired, p50", quantile(seconds, 0.5), "s", of))
        lines.append(Line("drift → repaired, p99", quantile(seconds, 0.99), "s", of, 0.5))
    return lines


def _restarts(results: Results) -> list[Line]:
    found = results.restart
    if found is None:
        return []
    return [
        Line("restart: ready after", found.ready_seconds, "s"),
        Line("restart with nothing changed: lists", found.lists, "", "streamed ones counted", 30),
        Line("restart with nothing changed: writes", found.writes, "", "", 0),
    ]
