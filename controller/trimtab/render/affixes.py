"""Shell patterns at the beginning or end of a value: what `${name#pattern}` and its relatives take away.

`expressions` calls it. A pattern is `*`, `?`, `[…]` and characters; `*` takes slashes, too, as in a shell. The time is
bound by the length of the value times that of the pattern.
"""

import re
from itertools import groupby
from typing import Final

_TOKEN: Final = re.compile(r"\*+|\?|\[[!^]?\]?[^\]]*\]|\\.|.", re.DOTALL)


def without_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """The value without what the pattern matches at its beginning."""
    return value[_match(value, _tokens(pattern), longest=longest) :]


def without_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """The value without what the pattern matches at its end."""
    taken = _match(value[::-1], _tokens(pattern)[::-1], longest=longest)
    return value[: len(value) - taken]


def _tokens(pattern: str) -> list[str]:
    """Regular expressions of one character each, and empty ones that stand for `*`."""
    return [_token(found[0]) for found in _TOKEN.finditer(pattern)]


def _token(text: str) -> str:
    if text[0] == "*":
        return ""
    if text == "?":
        return "."
    if text[0] == "[" and len(text) > 2:
        inner = text[1:-1]
        negated = inner[0] in "!^" and len(inner) > 1
        members = (inner[1:] if negated else inner).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
        return f"[{'^' if negated else ''}{members.replace('^', chr(92) + '^')}]"
    return re.escape(text[1:] if text[0] == "\\" and len(text) > 1 else text)


def _match(value: str, tokens: list[str], *, longest: bool) -> int:
    """How many characters at the beginning match: each part between stars where it comes first, the last one last."""
    try:
        parts = _parts(tokens)
    except re.error:
        return 0
    first = parts[0].match(value)
    if first is None:
        return 0
    end = first.end()
    for number, part in enumerate(parts[1:], start=2):
        found = _last(part, value, end) if longest and number == len(parts) else part.search(value, end)
        if found is None:
            return 0
        end = found.end()
    return end


def _parts(tokens: list[str]) -> list[re.Pattern[str]]:
    groups = [(star, "".join(group)) for star, group in groupby(tokens, key=lambda token: not token)]
    parts = [text for star, text in groups if not star]
    if groups and groups[0][0]:
        parts.insert(0, "")
    if not parts or groups[-1][0]:
        parts.append("")
    return [re.compile(part, re.DOTALL) for part in parts]


def _last(part: re.Pattern[str], value: str, start: int) -> re.Match[str] | None:
    return next((found for at in range(len(value), start - 1, -1) if (found := part.match(value, at))), None)
