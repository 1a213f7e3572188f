"""Whether a status must be written, and the smallest merge patch that does it.

Two statuses flow in, a patch flows out; the loop writes it through the status subresource, or nothing at all.
"""

from typing import Any

from trimtab.api.model import Status


def changed(old: Status, new: Status) -> bool:
    """Whether anything that users can see differs."""
    return old != new


def status_patch(old: Status, new: Status) -> dict[str, Any] | None:
    """A JSON merge patch of the object (`{"status": …}`) that makes old new; None where they are the same."""
    patch = merge_patch(old.to_body(), new.to_body())
    return {"status": patch} if patch else None


def merge_patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7396) from one map to another; empty where they are equal. Lists are replaced whole."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if before == value:
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            patch[key] = merge_patch(before, value)
        else:
            patch[key] = value
    return patch
