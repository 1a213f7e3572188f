from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.kube.masking import MASK, mask_secret


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "got opensesame instead",
        'Invalid value: "opensesame"',
        f"illegal data {encoded('opensesame')} at byte 4",
        '|..."data":{"key":"opensesa|...',
        "expected map, got &{[opensesame other]}",
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        {"data": {"key": encoded("opensesame")}},
        {"data": {"key": "opensesame"}},
        {"stringData": {"key": "opensesame"}},
        {"data": [["opensesame"]]},
        {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"key":"opensesame"}'}}},
    ],
)
def test_values_are_masked_in_whatever_form(text: str, body: dict) -> None:
    assert "opensesa" not in mask_secret(text, body)


def test_what_is_no_value_stays() -> None:
    told = 'Secret "door" is invalid: data[a.b]: Too long: must have at most 1048576 bytes'

    assert mask_secret(told, {"data": {"a.b": encoded("opensesame")}}) == told


def test_a_key_that_can_be_none_is_a_value_in_the_wrong_place() -> None:
    told = 'data[user opensesame]: Invalid value: "user opensesame": a valid config key must consist of letters'

    shown = mask_secret(told, {"data": {"user opensesame": ""}})

    assert shown == f'data[{MASK}]: Invalid value: "{MASK}": a valid config key must consist of letters'


def test_short_values_are_masked_where_they_stand_alone() -> None:
    assert mask_secret('got "ab" as a tab', {"stringData": {"key": "ab"}}) == f'got "{MASK}" as a tab'


def test_empty_values_and_odd_bodies_harm_nothing() -> None:
    assert mask_secret("as it was", {"data": {"key": "", "other": None, "flag": True}}) == "as it was"
    assert mask_secret("as it was", None) == "as it was"
    assert mask_secret("as it was", {"metadata": {"annotations": "none"}}) == "as it was"


@given(st.text(min_size=4).filter(lambda value: MASK not in value and value not in MASK))
def test_no_value_of_four_or_more_characters_survives(value: str) -> None:
    assert value not in mask_secret(f"before {value} after", {"stringData": {"key": value}}).replace(MASK, "")
