"""Lines of a watch as typed values.

One JSON line of a watch response flows in; what it says flows out. `type_watch` interprets it.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from trimtab.adapters.kube.refusals import refusal
from trimtab.core.api_error import ApiError

_INITIAL_END: Final = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class Shown:
    """ADDED or MODIFIED."""

    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gone:
    """DELETED, which a label's loss says too; the body is the last state that matched."""

    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Marked:
    """BOOKMARK: everything up to this version has been sent; `initial_end` closes a streamed initial list."""

    version: str
    initial_end: bool


def read_event(line: bytes) -> Shown | Gone | Marked:
    """Read one line. Raises ApiError for an ERROR event, with its code (410: too old), and for what is no event."""
    try:
        event = orjson.loads(line)
        kind, body = event["type"], event["object"]
    except (ValueError, KeyError, TypeError):
        raise ApiError(0, "Malformed", "the watch sent a line that is no event") from None
    if kind == "BOOKMARK":
        metadata = body["metadata"]
        ended = (metadata.get("annotations") or {}).get(_INITIAL_END) == "true"
        return Marked(metadata["resourceVersion"], ended)
    if kind == "DELETED":
        return Gone(body)
    if kind in ("ADDED", "MODIFIED"):
        return Shown(body)
    code = body.get("code") if isinstance(body, dict) else None
    raise refusal(code or 500, orjson.dumps(body), headers={})
