"""JSON documents, one after the other in a text, read as kubectl reads them: JSON first, YAML where that fails.

`documents` calls `read_json` for texts that begin with a brace; None sends it on to the YAML reader, which knows lines.
"""

import json
from typing import Any

import orjson

from trimtab.render.limits import Limits
from trimtab.render.reader import NODE_BYTES, AliasBudget, Fault, Parsed, ValueBudget, read_document
from trimtab.render.scalars import json_integer, json_number


class _NotJson(ValueError):
    """The text uses what JSON has not."""


class _Duplicate(ValueError):
    """An object has a key twice."""


def weight_of(text: bytes) -> int:
    """What the values of a JSON text take at most, counted as the YAML reader does, without parsing it."""
    return len(text) + NODE_BYTES * sum(text.count(sign) for sign in (b"{", b"[", b",", b":"))


def read_json(text: bytes, *, limits: Limits, values: ValueBudget | None = None) -> list[Parsed] | None:
    """All values of the text; None where it is not JSON. A fault stands for the document that has it."""
    if values is not None and (fault := values.spend(weight_of(text), 1)):
        return [Parsed(None, 1, faults=(fault,))]
    decoder = json.JSONDecoder(
        object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant
    )
    content = text.decode()
    found: list[Parsed] = []
    at = _skip(content, 0)
    while at < len(content):
        line = content.count("\n", 0, at) + 1
        try:
            value, end = decoder.raw_decode(content, at)
        except _Duplicate as duplicate:
            return [Parsed(None, line, faults=_duplicates(text, limits) or (Fault(str(duplicate), line),))]
        except RecursionError:
            return [_too_deep(line, limits)]
        except ValueError:
            return None
        if _depth(value, limits.depth) > limits.depth:
            return [_too_deep(line, limits)]
        found.append(_checked(value, line))
        at = _skip(content, end)
    return found


def _skip(content: str, at: int) -> int:
    while at < len(content) and content[at].isspace():
        at += 1
    return at


def _checked(value: Any, line: int) -> Parsed:
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return Parsed(None, line, faults=(Fault("a string holds half a surrogate pair", line),))
    return Parsed(value, line)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Duplicate(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}")
    return found


def _float(text: str) -> int | float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _NotJson("out of range")
    return json_number(number)


def _integer(text: str) -> int | float:
    return json_integer(int(text)) if len(text) < 300 else _float(text)


def _constant(text: str) -> Any:
    raise _NotJson(text)


def _depth(value: Any, limit: int) -> int:
    """How deep a value is nested; stops counting just above the limit."""
    level = [value]
    depth = 0
    while depth <= limit:
        level = [child for node in level if isinstance(node, dict | list) for child in _children(node)]
        if not level:
            return depth
        depth += 1
    return depth


def _children(node: dict[str, Any] | list[Any]) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node


def _too_deep(line: int, limits: Limits) -> Parsed:
    return Parsed(None, line, faults=(Fault(f"nested deeper than {limits.depth} levels", line),))


def _duplicates(text: bytes, limits: Limits) -> tuple[Fault, ...]:
    """The lines of duplicate keys, which only the YAML reader can tell; nothing where it stumbles over the text."""
    parsed = read_document(text, limits=limits, budget=AliasBudget(limits))
    return tuple(fault for fault in parsed.faults if "duplicate" in fault.message) if parsed else ()
