import json

import pytest

from trimtab.adapters.kube.watch_events import Gone, Marked, Shown, read_event
from trimtab.core.api_error import ApiError

BODY = {"metadata": {"name": "a", "resourceVersion": "7"}}


def line(kind: str, body: object) -> bytes:
    return json.dumps({"type": kind, "object": body}).encode()


@pytest.mark.parametrize(
    ("kind", "expected"), [("ADDED", Shown(BODY)), ("MODIFIED", Shown(BODY)), ("DELETED", Gone(BODY))]
)
def test_objects_are_passed_on(kind: str, expected: object) -> None:
    assert read_event(line(kind, BODY)) == expected


@pytest.mark.parametrize(
    ("annotations", "end"),
    [({"k8s.io/initial-events-end": "true"}, True), ({"k8s.io/initial-events-end": "false"}, False), (None, False)],
)
def test_bookmarks_say_whether_they_end_the_list(annotations: dict[str, str] | None, end: bool) -> None:
    body = {"metadata": {"resourceVersion": "8", "annotations": annotations}}

    assert read_event(line("BOOKMARK", body)) == Marked("8", end)


def test_an_error_event_keeps_its_code() -> None:
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (7)"}

    with pytest.raises(ApiError) as told:
        read_event(line("ERROR", status))

    assert (told.value.status, told.value.reason) == (410, "Expired")
    assert "too old" in told.value.message


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"text"', b'{"type": "ADDED"}', b"\xff"])
def test_what_is_no_event_is_an_error(raw: bytes) -> None:
    with pytest.raises(ApiError, match="no event"):
        read_event(raw)


@pytest.mark.parametrize("body", [{}, [], None])
def test_an_error_event_without_a_status_is_one_too(body: object) -> None:
    with pytest.raises(ApiError) as told:
        read_event(line("ERROR", body))

    assert told.value.status == 500
