"""Argo CD's globs: `*` takes any characters, slashes too, `?` one, `[…]` one of several, `{a,b}` either.

`layout` matches paths with them. The time is bound by the lengths of pattern and path, whatever the pattern.
"""

from collections.abc import Callable
from fnmatch import translate
from re import DOTALL
from re import compile as pattern_of

MOST_ALTERNATIVES = 256
"""What braces may multiply to."""


class BadGlob(ValueError):
    """A pattern cannot be used, and why."""


def glob(pattern: str) -> Callable[[str], bool]:
    """A test for paths. Raises BadGlob."""
    compiled = [pattern_of(translate(each), DOTALL) for each in _alternatives(pattern)]
    return lambda path: any(each.match(path) for each in compiled)


def _alternatives(pattern: str) -> list[str]:
    """The pattern without braces, as many as they stand for; escaped characters become classes, as translate reads."""
    done, rest = _sequence(pattern, 0, "")
    if rest < len(pattern):
        raise BadGlob("a closing brace without an opening one")
    return done


def _sequence(pattern: str, at: int, end: str) -> tuple[list[str], int]:
    """Alternatives of what stands before one of the characters of `end`, and where that is."""
    done = [""]
    while at < len(pattern) and pattern[at] not in end and pattern[at] != "}":
        if pattern[at] == "{":
            choices, at = _choices(pattern, at + 1)
            done = [head + tail for head in done for tail in choices]
            if len(done) > MOST_ALTERNATIVES:
                raise BadGlob(f"more than {MOST_ALTERNATIVES} alternatives")
            continue
        part, at = _character(pattern, at)
        done = [head + part for head in done]
    return done, at


def _choices(pattern: str, at: int) -> tuple[list[str], int]:
    found: list[str] = []
    while True:
        choices, at = _sequence(pattern, at, ",")
        found += choices
        if at >= len(pattern):
            raise BadGlob("an opening brace without a closing one")
        at += 1
        if pattern[at - 1] == "}":
            return found, at


def _character(pattern: str, at: int) -> tuple[str, int]:
    """One element in the syntax of fnmatch, and where the next begins."""
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return f"[{pattern[at + 1]}]" if pattern[at + 1] in "*?[" else pattern[at + 1], at + 2
    if pattern[at] == "[":
        closing = pattern.find("]", at + 2)
        if closing < 0:
            raise BadGlob("an opening bracket without a closing one")
        return pattern[at : closing + 1], closing + 1
    return pattern[at], at + 1
