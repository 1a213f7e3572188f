"""`trimtab crds`: prints, writes and checks."""

import yaml
from typer import Typer
from typer.testing import CliRunner

from trimtab.api.crd import crd_files, crds
from trimtab.cli.crds import crds as command

APP = Typer()
APP.command()(command)


def run(*args: str):
    return CliRunner().invoke(APP, list(args))


def test_command_prints_all():
    result = run()
    assert result.exit_code == 0
    assert [each["metadata"]["name"] for each in yaml.safe_load_all(result.stdout)] == [
        each["metadata"]["name"] for each in crds()
    ]


def test_command_writes_and_checks_files(tmp_path):
    folder = tmp_path / "new"
    assert run("--output-dir", str(folder)).exit_code == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == crd_files()
    assert run("--check", str(folder)).exit_code == 0
    (folder / "trimtab.dev_applications.yaml").unlink()
    result = run("--check", str(folder))
    assert result.exit_code == 1
    assert "stale: trimtab.dev_applications.yaml" in result.output
