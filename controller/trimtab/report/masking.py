"""What may be shown of a value: nothing of what a Secret holds.

Drift in status, Events and the diff of the CLI pass through here; all is masked that is not known to be harmless.
"""

from typing import Any, Final

import orjson

from trimtab.core.names import API_GROUP
from trimtab.core.refs import ObjectRef
from trimtab.core.visible import visible

MASK: Final = "(masked)"
_CHANGED_FROM: Final = "(masked, before)"
_CHANGED_TO: Final = "(masked, after)"
_OPEN_FIELDS: Final = (
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.finalizers",
    "type",
    "immutable",
)
_SECRET_MAPS: Final = ("data", "stringData")


def is_secret(ref: ObjectRef) -> bool:
    """Whether the object is a core Secret."""
    return ref.group == "" and ref.kind == "Secret"


def shown(ref: ObjectRef, field: str, value: Any, *, characters: int = 256) -> str:
    """A field's value as JSON, cut to a length; masked in Secrets, but for fields known to be harmless."""
    if is_secret(ref) and not any(field == each or field.startswith((f"{each}.", f"{each}[")) for each in _OPEN_FIELDS):
        return MASK
    text = visible(orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())
    return text if len(text) <= characters else text[: characters - 1] + "…"


def masked_pair(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Two states of one Secret with every value masked, so that a diff still shows which keys changed."""
    return _masked(before, after, _CHANGED_FROM), _masked(after, before, _CHANGED_TO)


def _masked(body: dict[str, Any] | None, other: dict[str, Any] | None, changed: str) -> dict[str, Any] | None:
    if body is None:
        return None
    result = dict(body)
    for name in _SECRET_MAPS:
        values = body.get(name)
        if values is not None:
            result[name] = _mask_map(values, (other or {}).get(name), changed, known=other is not None)
    metadata = body.get("metadata", {})
    if metadata.get("annotations"):
        # Tools keep former states there; only our own are known to hold none.
        theirs = (other or {}).get("metadata", {}).get("annotations")
        masked = _mask_map(metadata["annotations"], theirs, changed, known=other is not None)
        ours = {key: value for key, value in metadata["annotations"].items() if f"{API_GROUP}/" in key}
        result["metadata"] = {**metadata, "annotations": {**masked, **ours}}
    return result


def _mask_map(values: Any, others: Any, changed: str, *, known: bool) -> Any:
    if not isinstance(values, dict):
        return MASK
    others = others if isinstance(others, dict) else {}
    return {key: changed if known and others.get(key) != value else MASK for key, value in values.items()}
