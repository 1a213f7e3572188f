"""Plain scalars and keys: the table was read off kubectl 1.36.3; the integration tests hold it against the real one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.render.scalars import ScalarError, json_integer, json_number, key_text, resolve, resolve_tagged

SCALARS = {
    "=": "=",
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "nUll": "nUll",
    "yes": True,
    "y": True,
    "On": True,
    "oN": "oN",
    "n": False,
    "off": False,
    "True": True,
    "tRUE": "tRUE",
    "2020-01-02": "2020-01-02",
    "2020-01-02T03:04:05Z": "2020-01-02T03:04:05Z",
    "1:30": "1:30",
    "<<": "<<",
    "0": 0,
    "-0": 0,
    "-0.0": 0,
    "0644": 420,
    "-0644": -420,
    "0o644": 420,
    "0o8": "0o8",
    "089": 89,
    "0xFF": 255,
    "0XfF": 255,
    "0x_F": 15,
    "0x": "0x",
    "0b101": 5,
    "-0b11": -3,
    "0b+11": 3,
    "0b12": "0b12",
    "1_000": 1000,
    "_1": "_1",
    "1_": 1,
    "1_0.5": 10.5,
    "+5": 5,
    "+": "+",
    "1.0": 1,
    "5.": 5,
    ".5": 0.5,
    ".5_0": 0.5,
    "._5": "._5",
    "+.5": 0.5,
    "-.5e1": -5,
    "1e3": 1000,
    "1e21": 1e21,
    "1e20": 1e20,
    "1e-7": 1e-7,
    "1e400": "1e400",
    ".5e999": ".5e999",
    "3.14159265358979323846": math.pi,
    "123456789012345678.0": 123456789012345680,
    "9223372036854775807": 9223372036854775807,
    "9223372036854775808": 9.223372036854775808e18,
    "18446744073709551616": 1.8446744073709552e19,
    "-9223372036854775809": -9.223372036854775809e18,
    "0xFFFFFFFFFFFFFFFF": 1.8446744073709552e19,
    "0xFFFFFFFFFFFFFFFFF": "0xFFFFFFFFFFFFFFFFF",
    "0777777777777777777777777": 7.777777777777778e23,
    "٣": "٣",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_a_plain_scalar_is_what_kubectl_makes_of_it(text, value):
    found = resolve(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN"])
def test_what_json_cannot_say_is_refused(text):
    with pytest.raises(ScalarError, match="JSON"):
        resolve(text)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("int", "5", 5),
        ("int", "0x10", 16),
        ("float", "5", 5),
        ("float", "1.5", 1.5),
        ("bool", "yes", True),
        ("null", "", None),
        ("timestamp", "2020-01-02", "2020-01-02"),
        ("binary", "aGk=", "hi"),
        ("binary", "aG\nk=", "hi"),
        ("unheard", "5", "5"),
    ],
)
def test_a_tag_decides(tag, text, value):
    found = resolve_tagged(f"tag:yaml.org,2002:{tag}", text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("tag", "text"),
    [("int", "5.5"), ("int", "1.0"), ("int", "x"), ("float", "x"), ("bool", "1"), ("null", "x"), ("timestamp", "5")],
)
def test_a_value_must_fit_its_tag(tag, text):
    with pytest.raises(ScalarError, match=f"!!{tag}"):
        resolve_tagged(f"tag:yaml.org,2002:{tag}", text)


@pytest.mark.parametrize("text", ["aGk", "/w==", "é"])
def test_binary_must_be_base64_of_text(text):
    with pytest.raises(ScalarError, match="base64"):
        resolve_tagged("tag:yaml.org,2002:binary", text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("yes", "true"),
        ("off", "false"),
        ("5", "5"),
        ("0x10", "16"),
        ("0644", "420"),
        ("1.10", "1.1"),
        ("5.5", "5.5"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("1e6", "1e+06"),
        ("123456789.0", "1.2345679e+08"),
        ("100000.5", "100000.5"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("-2.5", "-2.5"),
        ("name", "name"),
    ],
)
def test_a_key_becomes_the_string_that_kubectl_writes(text, key):
    assert key_text(resolve(text), text) == key


@pytest.mark.parametrize("text", ["~", "18446744073709551615", "1e300", "-1e39", "3.5e38"])
def test_keys_without_a_string_form_are_refused(text):
    with pytest.raises(ScalarError):
        key_text(resolve(text), text)


def test_a_number_key_spelled_through_a_tag_keeps_its_text():
    assert key_text(5, "five") == "five"


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_integers_of_64_bits_are_exact(number):
    assert resolve(str(number)) == number
    assert json_integer(number) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_keeps_its_value(number):
    found = json_number(number)
    assert float(found) == number
    assert isinstance(found, int) == (number.is_integer() and abs(number) < 2**63)


@given(st.text())
def test_resolving_never_fails_otherwise(text):
    try:
        found = resolve(text)
    except ScalarError:
        return
    assert found is None or isinstance(found, str | int | float)
