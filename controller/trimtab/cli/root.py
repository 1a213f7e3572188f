"""The root command: every verb is found here, loaded when it is called, and its expected failures end as one line.

Exit codes: 0 fine, 1 what the verb documents (a difference, something stale), 2 an error.
"""

import importlib
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Final, ParamSpec, TypeVar

import typer
from typer.core import TyperGroup
from typer.main import get_command

from trimtab import __version__

P = ParamSpec("P")
T = TypeVar("T")

EXIT_ERROR: Final = 2
_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}
_VERBS: Final = {
    "demo": "trimtab.cli.demo.command:demo",
    "get": "trimtab.cli.get:get",
    "diff": "trimtab.cli.diff:diff",
    "drift": "trimtab.cli.drift:drift",
    "reconcile": "trimtab.cli.poke:reconcile",
    "suspend": "trimtab.cli.suspension:suspend",
    "resume": "trimtab.cli.suspension:resume",
    "cluster": "trimtab.cli.cluster:app",
    "install": "trimtab.cli.install:install",
    "crds": "trimtab.cli.crds:crds",
    "run": "trimtab.cli.run:run",
}
"""Verb → where it is. Only the one that is called is imported: the controller's memory holds none of the others."""


def guarded(verb: Callable[P, T]) -> Callable[P, T]:
    """Let expected failures of a verb end as one line each on stderr, and exit code 2."""

    @wraps(verb)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        from trimtab.core.api_error import ApiError
        from trimtab.core.errors import TrimtabError
        from trimtab.core.visible import visible

        try:
            return verb(*args, **kwargs)
        except TrimtabError as error:
            texts = [str(problem) for problem in error.problems]
        except (ApiError, ValueError, OSError) as error:
            texts = [str(error)]
        for text in texts:
            typer.echo(f"Error: {' '.join(visible(text).split())}", err=True)
        raise typer.Exit(EXIT_ERROR)

    return wrapper


class _Verbs(TyperGroup):
    """The verbs in the order above, each loaded when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  the base class has it
        return list(_VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and cmd_name in _VERBS:
            self.commands[cmd_name] = _load(cmd_name)
        return super().get_command(ctx, cmd_name)


def _load(name: str) -> Any:
    module, _, attribute = _VERBS[name].partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        verb = found
        found = typer.Typer(add_completion=False, context_settings=_SETTINGS, pretty_exceptions_enable=False)
        found.command(name)(guarded(verb))
    command = get_command(found)
    command.name = name
    return command


app = typer.Typer(
    cls=_Verbs,
    name="trimtab",
    help="Keep Kubernetes clusters on the course that Git declares.",
    epilog="First time here: trimtab demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)


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
