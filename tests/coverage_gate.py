"""The gate of `make unit`: the share of branches that the unit tests took in the pure packages.

In: the `.coverage` file of the run before (which files count is said in pyproject.toml). Out: a table by package; exit
code 1 where any package falls below the limit.
"""

import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from coverage import Coverage
from coverage.exceptions import NoDataError
from rich.console import Console
from rich.table import Table

LIMIT_PERCENT: Final = 95.0


def _by_package(files: dict[str, Any]) -> dict[str, Counter[str]]:
    packages: dict[str, Counter[str]] = {}
    for name, file in files.items():
        summary = file["summary"]
        packages.setdefault(Path(name).parts[2], Counter()).update(
            lines=summary["num_statements"],
            lines_run=summary["covered_lines"],
            branches=summary.get("num_branches", 0),
            branches_taken=summary.get("covered_branches", 0),
        )
    return packages


def percent(part: int, whole: int) -> float:
    """Share of `part` in `whole`, in percent; all of nothing is 100."""
    return 100.0 * part / whole if whole else 100.0


def _load() -> dict[str, Any]:
    coverage = Coverage()
    coverage.load()
    target = Path(".coverage.json")
    coverage.json_report(outfile=str(target))
    files: dict[str, Any] = json.loads(target.read_text())["files"]
    target.unlink()
    return files


def main() -> int:
    """Print the table and the lines missed; 0 where every package reaches the limit."""
    try:
        files = _load()
    except NoDataError:
        print("No coverage data: run the unit tests first (make unit).", file=sys.stderr)
        return 1
    table = Table(title=f"At least {LIMIT_PERCENT:.0f} %")
    for heading in ("pure package", "lines", "branches"):
        table.add_column(heading, justify="left" if heading == "pure package" else "right")
    below = []
    for package, counts in sorted(_by_package(files).items()):
        lines = percent(counts["lines_run"], counts["lines"])
        branches = percent(counts["branches_taken"], counts["branches"])
        table.add_row(package, f"{lines:.1f} %", f"{branches:.1f} %")
        if min(lines, branches) < LIMIT_PERCENT:
            below.append(package)
    Console().print(table)
    if below:
        missed = io.StringIO()
        coverage = Coverage()
        coverage.load()
        coverage.report(file=missed)
        print(missed.getvalue())
        print(f"Below the limit: {', '.join(below)}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
