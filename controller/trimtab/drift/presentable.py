"""Two values of a drifted field as they may be kept and shown: bounded in size, and nothing of what a Secret holds.

`compare` passes every value of its findings through here.
"""

from typing import Any, Final

from trimtab.core.fields.path import MISSING, Path, canonical, fields, is_under

MASK: Final = "(masked)"
LIMIT_CHARACTERS: Final = 256
"""Longer values are cut to this much around the first difference."""
_BEFORE_CHARACTERS: Final = 32


class Excerpt(str):
    """Part of the JSON text of a long value that is no string."""

    __slots__ = ()


_OPEN = (fields("metadata", "labels"), fields("metadata", "finalizers"), fields("type"), fields("immutable"))
"""Fields of a Secret that hold no secret; all others may, annotations with a former configuration included."""


def pair(path: Path, declared: Any, live: Any, *, secret: bool) -> tuple[Any, Any]:
    """Both values: masked in a `secret`, else as they are, or as text cut around the place where they part."""
    if secret and not any(is_under(path, harmless) for harmless in _OPEN):
        return _masked(declared), _masked(live)
    texts = [
        value if isinstance(value, str) else canonical(value) for value in (declared, live) if value is not MISSING
    ]
    if all(len(text) <= LIMIT_CHARACTERS for text in texts):
        return declared, live
    start = max(0, _first_difference(texts) - _BEFORE_CHARACTERS)
    return _cut(declared, start), _cut(live, start)


def _masked(value: Any) -> Any:
    return value if value is MISSING else MASK


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)


def _first_difference(texts: list[str]) -> int:
    if len(texts) < 2:
        return 0
    return next(
        (index for index, (one, other) in enumerate(zip(*texts, strict=False)) if one != other),
        min(len(text) for text in texts),
    )


def _cut(value: Any, start: int) -> Any:
    if value is MISSING:
        return value
    text = _text(value)
    end = start + LIMIT_CHARACTERS
    part = f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"
    return part if isinstance(value, str) else Excerpt(part)
