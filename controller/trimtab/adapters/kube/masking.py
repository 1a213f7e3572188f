"""Keeps values of Secrets out of error texts.

An error text and the Secret that was sent flow in; the text with its values masked flows out. `refusals` calls it.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any, Final

MASK: Final = "***"
_WORD: Final = re.compile(r"[^\s\"'`{}\[\]():,|]{4,}")
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_QUOTED_SHORT: Final = 4
"""Shorter values are masked only where they stand alone: masking each `a` would leave no text."""


def mask_secret(text: str, body: Any) -> str:
    """Mask every value of a Secret's `data` and `stringData` in a text, whole, in part, plain or in base64.

    The server quotes values in its own ways (Go syntax, JSON excerpts cut at both ends), so that any word of four
    or more characters that is part of a value goes too. Object and field names may fall with it: better so.
    """
    values = sorted(set(_values(body)), key=len, reverse=True)
    for value in values:
        if len(value) >= _QUOTED_SHORT:
            text = text.replace(value, MASK)
        elif value:
            text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", MASK, text)

    def word(match: re.Match[str]) -> str:
        return MASK if any(match[0] in value for value in values) else match[0]

    return _WORD.sub(word, text)


def _values(body: Any) -> Iterator[str]:
    """All forms in which the values may be quoted."""
    if not isinstance(body, dict):
        return
    for field in ("data", "stringData"):
        for text in _scalars(body.get(field)):
            yield from _forms(text)
        # What cannot be a key is a value in the wrong place: of an env file without an equals sign, for one.
        for key in body.get(field) or () if isinstance(body.get(field), dict) else ():
            if not _KEY.fullmatch(str(key)):
                yield from _forms(str(key))
    # kubectl's annotation repeats the whole Secret.
    annotations = (body.get("metadata") or {}).get("annotations") or {}
    if isinstance(annotations, dict):
        yield from _forms(str(annotations.get("kubectl.kubernetes.io/last-applied-configuration") or ""))


def _forms(text: str) -> Iterator[str]:
    if not text:
        return
    yield text
    yield text.encode("unicode_escape").decode()
    yield b64encode(text.encode()).decode()
    try:
        yield b64decode(text, validate=True).decode()
    except ValueError:
        return


def _scalars(node: Any) -> Iterator[str]:
    """All leaves as text: a wrongly shaped Secret may hold its values anywhere below `data`."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _scalars(value)
    elif isinstance(node, list):
        for value in node:
            yield from _scalars(value)
    elif node is not None and not isinstance(node, bool):
        yield str(node)
