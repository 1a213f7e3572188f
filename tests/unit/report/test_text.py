"""Rows of the CLI's tables."""

import pytest

from trimtab.api.application import Application
from trimtab.api.git_repository import GitRepository
from trimtab.report.text import (
    age,
    applications_table,
    drift_table,
    errors_table,
    history_table,
    repositories_table,
    short_revision,
)

NOW = 1767229200.0
REVISION = "main@sha1:" + "0123456789" * 4


def condition(kind: str, status: str, message: str = "") -> dict:
    return {
        "type": kind,
        "status": status,
        "reason": "X",
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def application(name: str, status: dict | None = None, *, suspend: bool = False) -> Application:
    return Application.parse(
        {
            "metadata": {"name": name, "namespace": "x"},
            "spec": {"sourceRef": {"name": "fleet"}, "prune": True, "suspend": suspend},
            "status": status or {},
        }
    )


STATUS = {
    "conditions": [condition("Ready", "True", "applied"), condition("Healthy", "False"), condition("Drifted", "True")],
    "inventory": {"objects": 35, "ready": 30, "drifted": 2},
    "lastAppliedRevision": REVISION,
    "drift": [
        {
            "object": "Deployment.apps/shop/web",
            "field": "spec.replicas",
            "declared": "3",
            "live": "5",
            "actor": "kubectl",
            "since": "2026-01-01T00:59:00Z",
        },
        {
            "object": "ConfigMap/shop/a",
            "field": "",
            "declared": "",
            "live": "",
            "actor": "unknown",
            "since": "2026-01-01T00:00:00Z",
            "corrected": "2026-01-01T00:00:01Z",
        },
    ],
    "errors": [
        {
            "object": "ConfigMap/shop/a",
            "file": "a.yaml",
            "line": 3,
            "message": "bad",
            "commit": "c" * 40,
            "author": "Ann <ann@example.test>",
        },
        {"file": "b.yaml", "message": "unreadable"},
        {"message": "refused"},
    ],
    "history": [{"revision": REVISION, "time": "2026-01-01T00:00:00Z", "result": "Applied"}],
}


def test_applications():
    table = applications_table([application("web", STATUS, suspend=True), application("api")])
    assert [dict(zip(table.columns, row, strict=True)) for row in table.rows] == [
        {
            "NAMESPACE": "x",
            "NAME": "api",
            "READY": "Unknown",
            "HEALTHY": "Unknown",
            "OBJECTS": "",
            "DRIFTED": "",
            "REVISION": "",
            "MESSAGE": "",
        },
        {
            "NAMESPACE": "x",
            "NAME": "web",
            "READY": "True (suspended)",
            "HEALTHY": "False",
            "OBJECTS": "30/35",
            "DRIFTED": "2",
            "REVISION": "main@sha1:0123456",
            "MESSAGE": "applied",
        },
    ]


def test_drift_that_is_not_looked_for_has_no_count():
    status = {"inventory": {"objects": 1, "ready": 1, "drifted": 0}, "conditions": [condition("Drifted", "Unknown")]}
    assert applications_table([application("web", status)]).rows[0][5] == ""


def test_repositories():
    fetched = GitRepository.parse(
        {
            "metadata": {"name": "fleet", "namespace": "x"},
            "spec": {"url": "https://git.example.test/x"},
            "status": {
                "conditions": [condition("Ready", "True", "fetched")],
                "artifact": {"revision": REVISION, "lastUpdateTime": "2026-01-01T00:00:00Z"},
                "commit": {"author": "A", "committer": "A", "subject": "Begin", "time": "2026-01-01T00:00:00Z"},
            },
        }
    )
    fresh = GitRepository.parse({"metadata": {"name": "new"}, "spec": {"url": "https://git.example.test/y"}})
    assert repositories_table([fetched, fresh], now_seconds=NOW).rows == (
        ("", "new", "Unknown", "", "", "", ""),
        ("x", "fleet", "True", "main@sha1:0123456", "60m", "Begin", "fetched"),
    )


def test_drift():
    assert drift_table(application("web", STATUS), now_seconds=NOW).rows == (
        ("Deployment.apps/shop/web", "spec.replicas", "3", "5", "kubectl", "60s", "no"),
        ("ConfigMap/shop/a", "(deleted)", "", "", "unknown", "60m", "59m"),
    )


def test_errors():
    assert errors_table(application("web", STATUS)).rows == (
        ("ConfigMap/shop/a", "a.yaml:3", "Ann <ann@example.test> in cccccccccccc", "bad"),
        ("", "b.yaml", "", "unreadable"),
        ("", "", "", "refused"),
    )


def test_history():
    assert history_table(application("web", STATUS), now_seconds=NOW).rows == (
        ("main@sha1:0123456", "Applied", "60m", ""),
    )


def test_short_revisions():
    assert short_revision("sha1:" + "a" * 40) == "sha1:aaaaaaa"
    assert short_revision("odd") == "odd"
    assert short_revision("") == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (119, "119s"),
        (120, "2m"),
        (190, "3m10s"),
        (700, "11m"),
        (3 * 3600, "3h"),
        (5 * 3600 + 120, "5h2m"),
        (9 * 3600 + 120, "9h"),
        (48 * 3600, "2d"),
        (3 * 86400 + 4 * 3600, "3d4h"),
        (9 * 86400 + 4 * 3600, "9d"),
    ],
)
def test_age(seconds, text):
    assert age("2026-01-01T01:00:00Z", now_seconds=NOW + seconds) == text
