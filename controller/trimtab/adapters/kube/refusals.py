"""Answers that are no success, as `ApiError`.

HTTP status, headers and body flow in; the error as the stages know it flows out. `connection` raises it.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from trimtab.adapters.kube.masking import mask_secret
from trimtab.core.api_error import ApiError, Cause


def refusal(status: int, raw: bytes, *, headers: Mapping[str, str], sent: Any = None, secret: bool = False) -> ApiError:
    """The error that an answer with a status of 400 or more, or a watch's ERROR event, stands for.

    `sent` is the request's body; with `secret` its values are masked in the server's texts.
    """
    told = _status_object(raw)

    def text(value: Any) -> str:
        return mask_secret(str(value or ""), sent) if secret else str(value or "")

    details = told.get("details") or {}
    causes = tuple(
        Cause(text(cause.get("field")), text(cause.get("message")), str(cause.get("reason") or ""))
        for cause in details.get("causes") or ()
    )
    message = told.get("message") or raw[:500].decode(errors="replace").strip() or f"HTTP {status}"
    return ApiError(
        status,
        str(told.get("reason") or ""),
        text(message),
        causes=causes,
        retry_after_seconds=_seconds(headers.get("Retry-After"), details.get("retryAfterSeconds")),
    )


def is_overload(status: int, raw: bytes) -> bool:
    """Whether the whole server pushes back and not one resource: its in-flight filters answer in plain text."""
    return status == 429 and not _status_object(raw)


def _status_object(raw: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) and told.get("kind") == "Status" else {}


def _seconds(header: str | None, detail: Any) -> float | None:
    """Retry-After as seconds; its form as a date is used by no API server."""
    for value in (header, detail):
        try:
            seconds = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        if 0 <= seconds < 3600:
            return seconds
    return None
