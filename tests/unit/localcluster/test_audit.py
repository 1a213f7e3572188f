"""The audit log becomes requests, each counted once, over several readings."""

import json
from pathlib import Path
from typing import Any

from trimtab.localcluster import audit


def event(verb: str, stage: str = "ResponseComplete", **more: Any) -> str:
    target = {"resource": "deployments", "apiGroup": "apps", "namespace": "shop", "name": "web"}
    base = {
        "verb": verb,
        "stage": stage,
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/web",
        "user": {"username": "admin"},
        "userAgent": "kubectl/v1.36.3",
        "responseStatus": {"code": 200},
        "stageTimestamp": "2026-01-01T00:00:00.000000Z",
        "objectRef": target,
    }
    return json.dumps(base | more) + "\n"


def test_a_watch_counts_when_it_starts_and_anything_else_when_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(event("watch", "ResponseStarted") + event("get") + event("watch") + event("patch", "Panic"))
    requests, offset = audit.read(path)
    assert [request.verb for request in requests] == ["watch", "get"]
    assert offset == path.stat().st_size
    assert audit.read(path, start_bytes=offset) == ([], offset)


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    text = event("create")
    path.write_text(event("get") + text[:50])
    requests, offset = audit.read(path)
    assert [request.verb for request in requests] == ["get"]
    path.write_text(event("get") + text)
    assert [request.verb for request in audit.read(path, start_bytes=offset)[0]] == ["create"]


def test_resources_are_named_with_group_and_subresource(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    scale = {"resource": "deployments", "apiGroup": "apps", "subresource": "scale"}
    path.write_text(event("patch") + event("update", objectRef=scale) + event("get", objectRef=None))
    requests, _ = audit.read(path)
    assert [request.resource for request in requests] == ["deployments.apps", "deployments.apps/scale", ""]
    assert [request.writes for request in requests] == [True, True, False]


def test_a_reading_from_now_on_begins_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text("")
    assert audit.end(path) == 0
    half, text = event("get"), event("create")
    path.write_text(half + text[:50])
    offset = audit.end(path)
    assert offset == len(half)
    path.write_text(half + text)
    assert [request.verb for request in audit.read(path, start_bytes=offset)[0]] == ["create"]
    assert audit.end(path) == path.stat().st_size
