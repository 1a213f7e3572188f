"""The root command: what it loads, what every verb says of itself, how failures end."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from trimtab.cli.root import app, guarded
from trimtab.core.api_error import ApiError
from trimtab.core.errors import Problem, TrimtabError
from trimtab.core.manifest import Origin

VERBS = ("demo", "get", "diff", "drift", "reconcile", "suspend", "resume", "cluster", "install", "crds", "run")
RUNNER = CliRunner()


def test_all_verbs_are_listed():
    shown = RUNNER.invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert [verb for verb in VERBS if verb not in shown.stdout] == []


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("cluster", "crds")])
def test_every_help_has_an_example(verb: str):
    shown = RUNNER.invoke(app, [verb, "--help"])
    assert shown.exit_code == 0
    assert f"Example: trimtab {verb}" in shown.stdout


def test_the_version_is_told():
    shown = RUNNER.invoke(app, ["--version"])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("trimtab ")


def test_an_unknown_verb_is_refused():
    assert RUNNER.invoke(app, ["sail"]).exit_code == 2


def test_only_the_verb_that_is_called_is_loaded():
    """What the controller's process would carry in memory for nothing."""
    code = (
        "import sys, trimtab.cli.root, trimtab.cli.run\n"
        "heavy = ('rich', 'kubernetes', 'kopf', 'aiohttp', 'cryptography', 'pydantic', 'trimtab.localcluster')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _ending(failure: Exception) -> tuple[int, str]:
    def verb() -> None:
        raise failure

    own = typer.Typer()
    own.command()(guarded(verb))
    result = RUNNER.invoke(own, [])
    return result.exit_code, result.stderr


def test_failures_end_as_lines():
    problems = (Problem("is bad", origin=Origin("a.yaml", 3), remedy="mend it"), Problem("is worse"))
    assert _ending(TrimtabError(*problems)) == (2, "Error: a.yaml:3: is bad (mend it)\nError: is worse\n")
    assert _ending(ApiError(403, "Forbidden", "no\nway")) == (2, "Error: Forbidden: no way\n")
    assert _ending(FileNotFoundError("gone")) == (2, "Error: gone\n")


def test_what_is_not_expected_is_not_hidden():
    def verb() -> None:
        raise AssertionError("a bug")

    own = typer.Typer()
    own.command()(guarded(verb))
    assert isinstance(RUNNER.invoke(own, []).exception, AssertionError)
