"""What verbs print: tables that fit the terminal, plain columns for pipes, JSON and YAML for programs.

Rows and JSON-like values flow in, stdout gets the text; what is news and no answer goes to stderr.
"""

import sys
from typing import Any, Final

import typer

from trimtab.cli.options import Outputs
from trimtab.core.visible import visible
from trimtab.report.text import Table

_GAP: Final = "   "
_COLOURS: Final = {"True": "green", "False": "red", "Unknown": "yellow", "Applied": "green", "Failed": "red"}


def print_table(table: Table, *, empty: str = "nothing found") -> None:
    """A table in colours on a terminal, padded columns elsewhere; `empty` to stderr where there is no row."""
    if not table.rows:
        typer.echo(empty, err=True)
    elif sys.stdout.isatty():
        _print_rich(table)
    else:
        typer.echo(plain(table))


def plain(table: Table) -> str:
    """Columns padded with blanks as kubectl does it, one line per row; the last column is not padded."""
    rows = [table.columns, *(tuple(" ".join(visible(cell).split()) for cell in row) for row in table.rows)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(table.columns))]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def print_data(data: Any, output: Outputs) -> None:
    """JSON, or YAML."""
    if output is Outputs.JSON:
        import json

        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        import yaml

        typer.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1_000_000), nl=False)


def as_list(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """Objects as one List, as kubectl prints them."""
    return {"apiVersion": "v1", "kind": "List", "items": [without_managed_fields(body) for body in bodies]}


def without_managed_fields(body: dict[str, Any]) -> dict[str, Any]:
    """The object as people want to see it."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    return {**body, "metadata": metadata}


def note(text: str) -> None:
    """One line of news on stderr."""
    typer.echo(visible(text), err=True)


def _print_rich(table: Table) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=None, pad_edge=False, header_style="bold")
    for name in table.columns:
        drawn.add_column(name, overflow="fold", no_wrap=name in ("NAMESPACE", "NAME", "READY", "HEALTHY", "AGE"))
    for row in table.rows:
        drawn.add_row(*(Text(visible(cell), style=_COLOURS.get(cell.partition(" ")[0], "")) for cell in row))
    Console().print(drawn)
