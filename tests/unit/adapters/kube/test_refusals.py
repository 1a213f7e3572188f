import json

import pytest

from trimtab.adapters.kube.refusals import is_overload, refusal
from trimtab.core.api_error import Cause

INVALID = {
    "kind": "Status",
    "code": 422,
    "reason": "Invalid",
    "message": 'Secret "door" is invalid: data[key]: Invalid value: "opensesame"',
    "details": {"causes": [{"reason": "FieldValueInvalid", "message": 'got "opensesame"', "field": "data[key]"}]},
}


def raw(status: object) -> bytes:
    return json.dumps(status).encode()


def test_a_status_is_read_with_its_causes() -> None:
    error = refusal(422, raw(INVALID), headers={})

    assert error.invalid
    assert error.reason == "Invalid"
    assert error.causes == (Cause("data[key]", 'got "opensesame"', "FieldValueInvalid"),)


def test_values_of_a_secret_are_masked_everywhere() -> None:
    sent = {"kind": "Secret", "data": {"key": "opensesame"}}

    error = refusal(422, raw(INVALID), headers={}, sent=sent, secret=True)

    assert "opensesame" not in str(error)
    assert "opensesame" not in str(error.causes)
    assert "is invalid" in error.message


def test_plain_text_is_the_message() -> None:
    error = refusal(502, b" Bad gateway\n", headers={})

    assert (error.status, error.reason, error.message) == (502, "", "Bad gateway")
    assert refusal(502, b"", headers={}).message == "HTTP 502"
    assert len(refusal(502, b"x" * 10_000, headers={}).message) == 500


@pytest.mark.parametrize(
    ("header", "detail", "seconds"),
    [("2", None, 2.0), (None, 3, 3.0), ("2", 3, 2.0), ("soon", 3, 3.0), ("soon", None, None), ("-1", None, None)],
)
def test_retry_after_is_read_from_header_and_details(
    header: str | None, detail: int | None, seconds: float | None
) -> None:
    status = {"kind": "Status", "code": 429, "details": {"retryAfterSeconds": detail} if detail else None}
    headers = {"Retry-After": header} if header else {}

    assert refusal(429, raw(status), headers=headers).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "body", "overload"),
    [
        (429, b"Too many requests, please try again later.\n", True),
        (429, raw({"kind": "Status", "message": "storage is (re)initializing"}), False),
        (503, b"unavailable", False),
    ],
)
def test_only_the_whole_server_pushes_everyone_back(status: int, body: bytes, overload: bool) -> None:
    assert is_overload(status, body) == overload
