"""The root command: every verb is mounted here, and expected failures end with one line and an exit code.

Exit codes: 0 fine, 1 what the verb documents (a difference, something stale), 2 an error.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec, TypeVar

import typer

from trimtab import __version__
from trimtab.cli import run
from trimtab.cli.crds import crds
from trimtab.core.api_error import ApiError
from trimtab.core.errors import TrimtabError

P = ParamSpec("P")
T = TypeVar("T")

app = typer.Typer(
    name="trimtab",
    help="Keep Kubernetes clusters on the course that Git declares.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def guarded(verb: Callable[P, T]) -> Callable[P, T]:
    """Let expected failures of a verb end as one line on stderr and exit code 2."""

    @wraps(verb)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return verb(*args, **kwargs)
        except (TrimtabError, ApiError, ValueError, OSError) as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None

    return wrapper


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trimtab {__version__}")
        sys.exit(0)


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = (
        False
    ),
) -> None:
    """Keep Kubernetes clusters on the course that Git declares."""


app.command()(guarded(crds))
app.command()(guarded(run.run))
