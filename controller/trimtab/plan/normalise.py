"""What is sent to the API server of a declared object, and the digest by which the same again is known.

Rendered bodies flow in. Every apply, dry run and comparison uses the normalised body; the plan compares its digest with
the inventory's. Each rule has its reason in what server-side apply does without it.
"""

import hmac
from base64 import b64encode
from typing import Any

from trimtab.core.fields.path import canonical

DECLARED_ALGORITHM = "d1"
"""Goes into every digest of a declaration: a change of these rules makes all objects be applied once more."""

_SERVER_KEPT = frozenset(
    {"managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds"}
)
"""Metadata that the server keeps: refused in an apply, or a precondition that nobody in Git means."""


def normalise(body: dict[str, Any]) -> dict[str, Any]:
    """A body that server-side apply owns field by field as its author means it; the argument is left as it is.

    Nulls of map fields stay: to the server they declare the zero value (`replicas: null` owns the default).
    """
    normal = {name: _without_item_nulls(value) for name, value in body.items() if name != "status"}
    normal["metadata"] = _metadata(normal.get("metadata") or {})
    group_kind = (str(normal.get("apiVersion", "")).rpartition("/")[0], normal.get("kind"))
    if group_kind == ("", "Secret"):
        return _secret(normal)
    # The controller of aggregated roles writes the rules: declaring them as well would be an endless fight.
    if group_kind == ("rbac.authorization.k8s.io", "ClusterRole") and normal.get("aggregationRule"):
        normal.pop("rules", None)
    return normal


def declared_digest(key: bytes, body: dict[str, Any]) -> str:
    """HMAC-SHA256 under the installation's `key` over a normalised body: equal where the same is declared."""
    return f"{DECLARED_ALGORITHM}:{hmac.new(key, canonical(body).encode(errors='surrogatepass'), 'sha256').hexdigest()}"


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    normal = {name: value for name, value in metadata.items() if name not in _SERVER_KEPT}
    for name in ("namespace", "labels", "annotations"):
        # An empty namespace is none; null labels would be owned as a whole, beside the ones that we add.
        if name in normal and not normal[name]:
            del normal[name]
    return normal


def _secret(body: dict[str, Any]) -> dict[str, Any]:
    """Fold stringData into data: owned as stringData, the server would not tell who edits data."""
    folded = body.get("stringData")
    if folded is not None and not isinstance(folded, dict):
        return body
    text = {name: "" if value is None else value for name, value in (folded or {}).items()}
    if not all(isinstance(value, str) for value in text.values()):
        # A number in stringData is the author's error: the server's own message names it best.
        return body
    normal = {name: value for name, value in body.items() if name != "stringData"}
    if text:
        encoded = {name: b64encode(value.encode()).decode() for name, value in text.items()}
        normal["data"] = {**(body.get("data") or {}), **encoded}
    return normal


def _without_item_nulls(value: Any) -> Any:
    """Drop null fields of list items: as part of an item's key, null makes a new item at each apply."""
    if isinstance(value, dict):
        return {name: _without_item_nulls(inner) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    return [
        {name: _without_item_nulls(inner) for name, inner in item.items() if inner is not None}
        if isinstance(item, dict)
        else _without_item_nulls(item)
        for item in value
    ]
