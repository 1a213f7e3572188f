"""What came of a campaign, as a table for the terminal and as a page of the documentation."""

import statistics
from collections.abc import Sequence

from rich.table import Table
from tests.bench.machine import Machine
from tests.campaign.campaign import Tally
from tests.campaign.mutations import Kind


def lines(tally: Tally, seconds: float) -> list[tuple[str, str]]:
    """Everything worth telling, as (what, how much)."""
    told = sum(tally.fields.values())
    fields = ", ".join(f"{count} {what}" for what, count in sorted(tally.fields.items()))
    writes = sum(count for what, count in tally.requests.items() if what.split()[0] in ("patch", "create", "apply"))
    return [
        ("mutations", f"{tally.total} of {tally.objects} objects of {len(tally.kinds)} kinds, seed {tally.seed}"),
        *((f"· {kind}", _kind(tally, kind)) for kind in Kind if tally.mutations[kind]),
        ("tries that the API server refused", str(tally.refused)),
        ("declared fields changed", f"{told} ({fields})"),
        ("missed, falsely told, not put back", str(len(tally.complaints))),
        ("edit → put back", _spread(tally.repairs)),
        ("edit → reported", _spread(tally.reports)),
        ("most writes to one object between two rests", str(tally.most_applies)),
        ("writes of the controller, statuses and Events included", str(writes)),
        ("rests without a single request", str(tally.rests)),
        ("duration, set-up included", f"{seconds:.0f} s"),
    ]


def _kind(tally: Tally, kind: Kind) -> str:
    harmless = tally.harmless[kind]
    return f"{tally.mutations[kind]}" + (f", {harmless} of them changed nothing declared" if harmless else "")


def _spread(times: Sequence[float]) -> str:
    if not times:
        return "none"
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    milliseconds = (f"{value * 1000:.0f}" for value in (statistics.median(ordered), p99, ordered[-1]))
    return "p50 {} ms, p99 {} ms, worst {} ms".format(*milliseconds) + f" ({len(times)})"


def table(tally: Tally, seconds: float) -> Table:
    """For the terminal."""
    made = Table("campaign", "")
    for what, much in lines(tally, seconds):
        made.add_row(what, much)
    return made


def page(tally: Tally, seconds: float, command: str) -> str:
    """For docs/results."""
    rows = "\n".join(f"| {what} | {much} |" for what, much in lines(tally, seconds))
    complaints = "\n".join(f"- {complaint}" for complaint in tally.complaints) or "None."
    return f"""# Campaign: random changes of managed objects

Made by `{command}`, on {Machine.here()}.

Each mutation goes to the API server as a person, a tool or another controller would send it. An oracle of its own reads
off the server's answer, through `metadata.managedFields`, which declared fields it changed. In Correct mode they must
stand again as declared, and status and metrics must tell each of them once, with its values and its actor; in Report
mode status must tell just them, until the object is put back by hand. What nobody declared must stay, and after every
twenty mutations the controller must not ask for anything for a second.

| | |
|---|---|
{rows}

## Complaints

{complaints}
"""
