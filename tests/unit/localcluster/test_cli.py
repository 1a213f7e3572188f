"""The commands' arguments, words and exit codes, where no cluster is needed for them."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from trimtab.cli.cluster import EXIT_ERROR, EXIT_NOT_RUNNING, app


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("command", ["up", "down", "status", "kubeconfig", "programs"])
def test_every_command_shows_an_example(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.stdout


@pytest.mark.parametrize("backend", ["local", "kind"])
def test_the_status_of_nothing_is_absent(backend: str) -> None:
    result = call("status", "--name", "x", "--backend", backend, "-o", "json")
    assert result.exit_code == EXIT_NOT_RUNNING
    document = json.loads(result.stdout)
    assert (document["name"], document["backend"], document["phase"]) == ("x", backend, "Absent")
    assert yaml.safe_load(call("status", "--name", "x", "--backend", backend, "-o", "yaml").stdout) == document


def test_no_clusters_are_no_error() -> None:
    assert call("status", "--all").stdout == "no clusters\n"
    assert call("down", "--all").exit_code == 0
    assert call("down").stdout == "cluster default does not exist\n"


def test_a_kubeconfig_that_is_not_there_says_how_to_get_it() -> None:
    result = call("kubeconfig", "--name", "x")
    assert result.exit_code == EXIT_NOT_RUNNING
    assert "trimtab cluster up --name x" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "No Good"), "cannot be the name of a cluster"),
        (("--backend", "kind", "--foreground"), "for the local backend"),
        (("--nodes", "0"), "--nodes"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], said: str) -> None:
    result = call("up", *arguments)
    assert result.exit_code == EXIT_ERROR
    assert said in result.stderr


def test_a_missing_docker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = call("up", "--backend", "kind")
    assert result.exit_code == EXIT_ERROR
    assert "Error: kind needs Docker" in result.stderr
