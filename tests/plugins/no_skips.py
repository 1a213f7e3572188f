"""Pytest plugin: where the environment says CI=true, a skipped test is a failed one.

In: every report of collecting or running a test. Out: the same report, turned into a failure where it says "skipped"
and the test carries none of the marks that allow it (`corpus`, `kind`). Loaded by the pytest options in pyproject.toml.
"""

import os
from collections.abc import Generator
from typing import Final

import pytest

ALLOWED_MARKS: Final = ("corpus", "kind")
_TRUE: Final = frozenset({"1", "true", "yes"})


def _skips_fail() -> bool:
    return os.environ.get("CI", "").lower() in _TRUE


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    match report.longrepr:
        case (str(), int(), str(reason)):
            return reason.removeprefix("Skipped: ")
        case other:
            return str(other)


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.longrepr = f"{report.nodeid} was skipped, which CI=true does not allow: {_reason(report)}"
    report.outcome = "failed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected_failure = hasattr(report, "wasxfail")
    allowed = any(item.get_closest_marker(mark) for mark in ALLOWED_MARKS)
    if report.skipped and not expected_failure and not allowed and _skips_fail():
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and _skips_fail():
        _fail(report)
    return report
