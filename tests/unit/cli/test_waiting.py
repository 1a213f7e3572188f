"""When `reconcile --wait` has waited long enough, and how it tells."""

import io

import pytest
from rich.console import Console

from trimtab.api.model import Status
from trimtab.cli.poke import rests
from trimtab.cli.progress import Ticker


def status(*conditions: tuple[str, str, str]) -> Status:
    return Status.model_validate(
        {
            "conditions": [
                {
                    "type": kind,
                    "status": holds,
                    "reason": reason,
                    "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
                for kind, holds, reason in conditions
            ]
        }
    )


@pytest.mark.parametrize(
    ("conditions", "over"),
    [
        ([("Ready", "True", "Applied")], True),
        ([("Ready", "Unknown", "Applying"), ("Reconciling", "True", "Applying")], False),
        ([("Ready", "False", "WaitingForHealth"), ("Reconciling", "True", "WaitingForHealth")], False),
        ([("Ready", "False", "Failed"), ("Reconciling", "True", "Retrying")], True),
        ([("Ready", "False", "Failed"), ("Stalled", "True", "Failed")], True),
    ],
)
def test_waiting_ends_with_the_work_or_with_a_failure(conditions, over):
    assert rests(status(*conditions)) is over


def test_progress_is_told_once_for_each_change():
    shown = io.StringIO()
    with Ticker("Application/shop", console=Console(file=shown)) as ticker:
        for sentence in ("applying", "applying", "[waiting]"):
            ticker.show(sentence)
    assert shown.getvalue() == "Application/shop: applying\nApplication/shop: [waiting]\n"


def test_a_terminal_shows_the_last_sentence_only():
    shown = io.StringIO()
    with Ticker("Application/shop", console=Console(file=shown, force_terminal=True)) as ticker:
        ticker.show("applying")
    assert shown.getvalue().endswith("\x1b[1A\x1b[2K") or "\x1b[2K" in shown.getvalue()
