"""`trimtab run`: which flags reach the settings, and which are refused before anything starts."""

import asyncio
from typing import Any

import pytest
from typer.testing import CliRunner

from trimtab.cli import run
from trimtab.cli.root import app
from trimtab.core.settings import Settings

RUNNER = CliRunner()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which the controller would have run."""
    found: list[Settings] = []

    async def serve(settings: Settings) -> None:
        await asyncio.sleep(0)
        found.append(settings)

    def imported() -> Any:
        return serve

    monkeypatch.setattr(run, "_imported", imported)
    monkeypatch.setattr(run, "log_to_stderr", lambda level: None)
    return found


def test_sources_are_confined_by_flags(served: list[Settings]):
    flags = ["--source-network", "10.1.0.0/16", "--source-network", "fd00::/8", "--restrict-sources"]
    assert RUNNER.invoke(app, ["run", *flags]).exit_code == 0
    assert served[0].source_networks == ("10.1.0.0/16", "fd00::/8")
    assert served[0].restrict_sources


def test_by_default_the_own_namespace_is_free(served: list[Settings]):
    assert RUNNER.invoke(app, ["run"]).exit_code == 0
    assert (served[0].source_networks, served[0].restrict_sources) == ((), False)


def test_what_is_no_network_is_refused(served: list[Settings]):
    done = RUNNER.invoke(app, ["run", "--source-network", "everything"])
    assert done.exit_code == 2
    assert "is no network" in done.stderr
    assert served == []
