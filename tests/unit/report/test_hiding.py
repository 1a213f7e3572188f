"""What came from a Secret is in no part of a status that people read."""

import pytest

from trimtab.api.application import ApplicationStatus
from trimtab.report.hiding import mask_values, without_values

TIME = "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        ("a hunter2 b", [b"hunter2"], "a *** b"),
        ("hunter2hunter22", [b"hunter2", b"hunter22"], "******"),
        ("a line, more", [b"a line\n, more"], "***"),
        ('say "\\"quoted\\""', [b'"quoted"'], 'say "***"'),
        ("trim", [b" trim \n"], "***"),
        ("abc", [b"abc", b"", b"\xff\xfe"], "abc"),
    ],
)
def test_values_are_masked_in_the_forms_in_which_they_are_told(text: str, values: list[bytes], told: str) -> None:
    assert mask_values(text, values) == told


def test_every_text_of_a_status_is_masked_and_names_are_not() -> None:
    condition = {
        "type": "Ready",
        "status": "False",
        "lastTransitionTime": TIME,
        "reason": "Failed",
        "message": "hunter2",
    }
    drift = {"object": "A/hunter2", "field": "x", "declared": '"hunter2"', "live": "1", "actor": "a", "since": TIME}
    status = ApplicationStatus.model_validate(
        {
            "conditions": [condition],
            "errors": [{"object": "A/hunter2", "message": "hunter2"}],
            "history": [
                {"revision": "r", "time": TIME, "result": "Failed", "message": "hunter2"},
                {"revision": "r", "time": TIME, "result": "Applied"},
            ],
            "drift": [drift],
        }
    )
    hidden = without_values(status, lambda text: text.replace("hunter2", "…")).to_body()
    assert hidden["conditions"][0]["message"] == "…"
    assert hidden["errors"] == [{"object": "A/hunter2", "message": "…"}]
    assert [item.get("message") for item in hidden["history"]] == ["…", None]
    assert (hidden["drift"][0]["declared"], hidden["drift"][0]["object"]) == ('"…"', "A/hunter2")
    assert without_values(status, lambda text: text) == status
