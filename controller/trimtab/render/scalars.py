"""Plain scalars and mapping keys, resolved as kubectl resolves them.

kubectl reads YAML 1.1 through go-yaml v2, turns it into JSON, and reads that JSON into int64 where it fits and float64
otherwise. Hence `yes`, `on` and `y` are booleans, `0644` is 420, `1.0` is 1, a date stays a string, and keys become
strings. The reader calls these functions for every scalar; the differential tests hold them against kubectl itself.
"""

import re
import struct
from base64 import b64decode
from decimal import Decimal
from typing import Final

Scalar = str | int | float | bool | None

_TRUE: Final = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE: Final = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_NULL: Final = ("", "~", "null", "Null", "NULL")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(_NULL, None),
}
_NOT_FINITE: Final = frozenset(
    [f"{sign}{word}" for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")] + [".nan", ".NaN", ".NAN"]
)
_HINTS: Final = frozenset("yYnNtTfFoO~0123456789+-.")
"""First characters of whatever is not a string; all other plain scalars are strings at once."""

_INTEGER: Final = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)", re.ASCII)
_SIGN_INSIDE: Final = re.compile(r"0b([-+][01]+)", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_POINT_FLOAT: Final = re.compile(r"\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)
_PLAIN_JSON: Final = 1e21
"""Below it Go's JSON encoder writes floats without an exponent, so that whole ones read back as integers."""


class ScalarError(ValueError):
    """A scalar has no JSON value; the text says why and never shows the value."""


def resolve(text: str) -> Scalar:
    """The value of an untagged plain scalar. Raises ScalarError for infinities and NaN."""
    if text and text[0] not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_FINITE:
        raise ScalarError("infinity and NaN have no JSON value; quote them")
    if text[0].isalpha() or text[0] == "~":
        return text
    number = _number(text)
    return text if number is None else number


def resolve_tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with an explicit tag (in full); tags unknown to kubectl leave the text as it is."""
    if tag == "tag:yaml.org,2002:binary":
        return _binary(text)
    expected = _TAGGED.get(tag)
    if expected is None:
        return text
    value = resolve(text)
    if tag == "tag:yaml.org,2002:float" and type(value) is int:
        return value
    if tag == "tag:yaml.org,2002:int" and _FLOAT.fullmatch(text) and not _INTEGER.fullmatch(text):
        value = text
    if type(value) not in expected:
        raise ScalarError(f"the value does not fit its tag !!{tag.rpartition(':')[2]}")
    return value


_TAGGED: Final[dict[str, tuple[type, ...]]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (float, int),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
    "tag:yaml.org,2002:timestamp": (str,),
}


def key_text(value: object, text: str) -> str:
    """The JSON key for a resolved scalar key; `text` is its spelling. Raises ScalarError where there is none."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_key(text)
    raise ScalarError("a mapping key must be a string, number or boolean; quote it")


def json_number(value: float) -> int | float:
    """A float as it comes back from Go's JSON: whole ones as integers where int64 holds them."""
    if not value.is_integer() or abs(value) >= _PLAIN_JSON:
        return value
    whole = int(Decimal(repr(value)))
    return whole if whole in _INT64 else value


def json_integer(value: int) -> int | float:
    """An integer of any size: beyond int64 it becomes a float, as for every Kubernetes client."""
    return value if value in _INT64 else float(value)


def _number(text: str) -> int | float | None:
    exact = _exact(text)
    if exact is None:
        return None
    return json_integer(exact) if isinstance(exact, int) else json_number(exact)


def _exact(text: str) -> int | float | None:
    """The number as written, before JSON's rounding; None where kubectl reads a string."""
    if text[0] == ".":
        return _finite(text.replace("_", "")) if _POINT_FLOAT.fullmatch(text) else None
    plain = text.replace("_", "")
    if _INTEGER.fullmatch(plain):
        number = _integer(plain)
        unsigned = plain[0] not in "+-"
        if number in _INT64 or (unsigned and number < 2**64):
            return number
    if _FLOAT.fullmatch(plain):
        return _finite(plain)
    signed = _SIGN_INSIDE.fullmatch(plain)
    return int(signed[1], 2) if signed else None


def _integer(plain: str) -> int:
    digits = plain.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        number = int(digits, 8)
    else:
        number = int(digits, 0)
    return -number if plain[0] == "-" else number


def _finite(plain: str) -> float | None:
    number = float(plain)
    return number if abs(number) != float("inf") else None


def _binary(text: str) -> str:
    try:
        return b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode()
    except ValueError as error:
        raise ScalarError("!!binary must be base64 of UTF-8 text; use binaryData or a Secret's data") from error


def _number_key(text: str) -> str:
    exact = _exact(text)
    if exact is None:
        return text
    if isinstance(exact, int):
        if exact not in _INT64:
            raise ScalarError("a number beyond 64 bits cannot be a mapping key; quote it")
        return str(exact)
    return _single_precision(exact)


def _single_precision(number: float) -> str:
    """The shortest decimal that reads back as the same float32, in Go's %g form (exponent from 1e+06 on)."""
    single = _float32(number)
    if abs(single) == float("inf"):
        raise ScalarError("a number of that size cannot be a mapping key; quote it")
    digits = next(count for count in range(1, 10) if _float32(float(f"{single:.{count - 1}e}")) == single)
    mantissa, _, exponent = f"{single:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -4 <= power < 6:
        return f"{single:.{max(digits - 1 - power, 0)}f}"
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _float32(number: float) -> float:
    """The nearest single-precision number; infinite where there is none."""
    return float(struct.unpack("f", struct.pack("f", number))[0])
