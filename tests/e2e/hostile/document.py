"""Writes the page about security cases out of the table: `python -m tests.e2e.hostile.document`.

`tests/unit/test_security_cases.py` refuses a page that is not what this would write.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.e2e.hostile.advisories import ADVISORIES
from tests.e2e.hostile.attack import Answer, Attack, Elsewhere, NotApplicable, Row
from tests.e2e.hostile.table import ROWS, TOPICS

PAGE: Final = Path(__file__).parents[3] / "docs" / "security-cases.md"
_BEGIN: Final = """\
# Security cases

Made by `python -m tests.e2e.hostile.document`, from the table that `tests/e2e/test_hostile_sources.py` replays; do not
edit. [SECURITY.md](../SECURITY.md) says what is defended and how.

All attacks are laid out over one running controller, beside honest neighbours that have to go on meanwhile. A row is
passed where the object's condition Ready says what stands here, no file outside of the repository was opened or made
(inotify tells), nothing reached an address that sources may not reach, and no canary is found in any status, Event,
log line, metric or file. Where the API server refuses an object by itself, that is checked first; then the CRDs' rules
are taken away, and the controller has to refuse the object as well. Rows that end with *there* have a twin aimed at a
file that does not exist, which must be told in the same words.
"""


def page() -> str:
    """The whole text."""
    parts = [_BEGIN, "\n".join(_advisories())]
    parts += ["\n".join(_topic(title, rows)) for title, rows in TOPICS.items()]
    return "\n".join(parts)


def _advisories() -> Iterator[str]:
    yield "## Advisories\n"
    yield "| Advisory | Rows | Answered |\n|---|---|---|"
    for title, names in ADVISORIES.items():
        yield f"| **{title}** | | |"
        for name in names:
            rows = [row for row in ROWS if name.partition(" (")[0] in row.replays]
            yield _line(name, str(len(rows)), ", ".join(dict.fromkeys(_short(row) for row in rows)))
    yield ""


def _short(row: Row) -> str:
    match row:
        case Attack(answer=Answer.REFUSED):
            return f"`{row.reason}`"
        case Attack():
            return "no effect"
        case Elsewhere():
            return "other tests"
        case NotApplicable():
            return "not applicable"


def _topic(title: str, rows: tuple[Row, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| Row | What | Answer | Replays |\n|---|---|---|---|"
    for row in rows:
        if isinstance(row, Attack) and not _is_twin(row, rows):
            first = "the API server, then " if row.api else ""
            there = ", *there*" if row.twin else ""
            words = f": {row.words}" if row.words else ""
            answer = f"{first}{row.kind} {_short(row)}{words}" if row.reason else "applied or followed, without effect"
            yield _line(f"`{row.name}`", f"{row.what}{there}", answer, _joined(row))
    for row in rows:
        if isinstance(row, Elsewhere):
            yield _line("other tests", row.what, ", ".join(f"`{test}`" for test in row.tests), _joined(row))
        elif isinstance(row, NotApplicable):
            yield _line("not applicable", row.why, "", _joined(row))
    yield ""


def _is_twin(row: Attack, rows: tuple[Row, ...]) -> bool:
    return any(isinstance(other, Attack) and other.twin == row.name for other in rows)


def _joined(row: Row) -> str:
    return ", ".join(dict.fromkeys(row.replays))


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page())
