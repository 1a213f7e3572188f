from decimal import Decimal

import pytest

from trimtab.core.fields.likeness import fulfils, quantity
from trimtab.core.fields.path import MISSING


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"),
        ("1000m", "1"),
        ("0.5Gi", str(2**29)),
        ("512Mi", str(2**29)),
        ("1e3", "1000"),
        ("1E", "1000000000000000000"),
        ("12k", "12000"),
        (2, "2"),
        (1.5, "1.5"),
        (".5", "0.5"),
        ("100n", "0.0000001"),
    ],
)
def test_quantities_are_numbers(text, number):
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "abc", "1 Gi", "Gi", True, None, [], "1KiB", "1e", "--1"])
def test_other_values_are_no_quantities(text):
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ("1000m", "1"),
        ("", MISSING),
        (False, MISSING),
        ({}, MISSING),
        (None, MISSING),
        (None, "defaulted"),
        ("x", "x"),
        ({"type": "Recreate"}, {"type": "Recreate", "extra": 1}),
        ({"a": {"cpu": "0.5"}}, {"a": {"cpu": "500m"}}),
        ([{"port": 80}], [{"port": 80, "protocol": "TCP"}]),
        (0, None),
    ],
)
def test_what_the_server_changes_by_itself_is_forgiven(declared, live):
    assert fulfils(live, declared)


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ("1", "2"),
        ("x", MISSING),
        (1, MISSING),
        (True, 1),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, [1]),
        ([1, 2], [2, 1]),
        ([1], [1, 2]),
        ([1], "1"),
        ("abc", "abd"),
    ],
)
def test_anything_else_is_a_difference(declared, live):
    assert not fulfils(live, declared)
