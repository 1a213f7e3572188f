"""Requests and times of the acts, from the audit log."""

import json
from pathlib import Path

from trimtab.cli.demo.tally import Tally, controllers, gap_seconds
from trimtab.localcluster.audit import read


def event(agent: str, verb: str, second: float, *, name: str = "web", resource: str = "services") -> str:
    return (
        json.dumps(
            {
                "stage": "ResponseStarted" if verb == "watch" else "ResponseComplete",
                "verb": verb,
                "requestURI": "/x",
                "userAgent": agent,
                "stageTimestamp": f"2026-01-01T00:00:{second:09.6f}Z",
                "objectRef": {"resource": resource, "namespace": "shop", "name": name},
            }
        )
        + "\n"
    )


def write(log: Path, *events: str) -> None:
    with log.open("a") as stream:
        stream.writelines(events)


def test_each_act_counts_the_controllers_own_requests(tmp_path: Path):
    log = tmp_path / "audit.log"
    write(log, event("trimtab/1", "get", 1))
    tally = Tally(log)
    tally.begin()
    write(
        log,
        event("kubectl/1", "delete", 2),
        event("trimtab/1", "get", 3),
        event("trimtab/1", "apply", 4),
        event("trimtab/1", "watch", 4),
        event("trimtab-cli/1", "get", 4),
    )
    assert len(tally.requests()) == 5
    write(log, event("trimtab/1", "patch", 5))
    tally.end("deletion", 1.5, "back")
    row = tally.rows[0]
    assert (row.title, row.seconds, row.reads, row.writes, row.remark) == ("deletion", 1.5, 1, 2, "back")

    tally.begin()
    assert controllers(tally.requests()) == []
    assert tally.elapsed_seconds() >= 0


def test_a_repair_takes_from_the_change_to_our_answer(tmp_path: Path):
    log = tmp_path / "audit.log"
    write(
        log,
        event("trimtab/1", "patch", 1),
        event("kubectl/1", "patch", 2),
        event("trimtab/1", "patch", 2.1, name="other"),
        event("trimtab/1", "get", 2.2),
        event("trimtab/1", "patch", 2.25),
    )
    requests = read(log)[0]
    assert gap_seconds(requests, resource="services", namespace="shop", name="web") == 0.25
    assert gap_seconds(requests, resource="services", namespace="shop", name="other") is None
    assert gap_seconds(requests[:2], resource="services", namespace="shop", name="web") is None
