"""From pydantic's JSON Schema to the structural OpenAPI v3 that a CustomResourceDefinition takes.

A model flows in, a plain dict flows out; `crd` calls it for every kind.
"""

from typing import Any

from pydantic import BaseModel

from trimtab.api.durations import DURATION_PATTERN, format_duration

Schema = dict[str, Any]


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of a model: references inlined, no titles, no null alternatives, no null defaults."""
    raw = model.model_json_schema(by_alias=True)
    return _node(raw, raw.get("$defs", {}))


def _node(raw: Schema, definitions: dict[str, Schema]) -> Schema:
    node = _merged(raw, definitions)
    properties = node.pop("properties", None)
    if isinstance(node.get("items"), dict):
        node["items"] = _node(node["items"], definitions)
    if isinstance(node.get("additionalProperties"), dict):
        node["additionalProperties"] = _node(node["additionalProperties"], definitions)
    _tidy(node)
    if properties is not None:
        node["properties"] = {name: _node(each, definitions) for name, each in properties.items()}
    return node


def _merged(raw: Schema, definitions: dict[str, Schema]) -> Schema:
    """One level with its reference and its only non-null alternative folded in; what stands outermost wins."""
    node = {key: value for key, value in raw.items() if key not in ("$defs", "$ref", "anyOf", "title")}
    inner = None
    if "$ref" in raw:
        inner = definitions[raw["$ref"].rpartition("/")[2]]
    elif "anyOf" in raw:
        (inner,) = (choice for choice in raw["anyOf"] if choice.get("type") != "null")
    return node if inner is None else {**_merged(inner, definitions), **node}


def _tidy(node: Schema) -> None:
    """What JSON Schema allows and a structural schema does not, or says otherwise."""
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if node.get("type") == "integer":
        node["format"] = "int64"
    if "default" in node:
        node["default"] = _without_empties(node["default"])
        if node["default"] in (None, [], {}):
            del node["default"]
    if node.get("pattern") == DURATION_PATTERN and "default" in node:
        node["default"] = format_duration(node["default"])


def _without_empties(value: Any) -> Any:
    """A default as users would write it: what is not set is left out."""
    if not isinstance(value, dict):
        return value
    return {key: part for key, each in value.items() if (part := _without_empties(each)) not in (None, [], {})}
