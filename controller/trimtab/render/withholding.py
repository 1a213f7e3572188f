"""Keeps what was decrypted out of messages: problems that would quote it are told without their words.

The decryption stage notes what came out of each file; every problem of the build goes through here.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from trimtab.core.errors import Problem

_WORD: Final = re.compile(r"[^\s\"',:=\[\]{}]+")
_RUN: Final = re.compile(r"[A-Za-z0-9]+")
_SHORTEST: Final = 3


class Withholding:
    """What was decrypted for one build."""

    def __init__(self) -> None:
        self._words: set[str] = set()

    def note(self, plain: bytes, encrypted: bytes) -> None:
        """Remember the words of a decrypted text that its encrypted form does not show."""
        self._words |= _words(plain) - _words(encrypted)

    def __call__(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The problems, those that show any such word with a message that does not."""
        return tuple(self._told(problem) for problem in problems)

    def _told(self, problem: Problem) -> Problem:
        if not self._shows(problem.message) and not self._shows(problem.remedy):
            return problem
        file = problem.origin.file if problem.origin else "the build"
        return replace(
            problem,
            message="is wrong in a way that cannot be told without showing what is encrypted",
            remedy=f"decrypt {file} with sops and check it",
        )

    def _shows(self, text: str) -> bool:
        return any(word in text for word in self._words)


def _words(data: bytes) -> set[str]:
    text = data.decode(errors="replace")
    # As they stand, as YAML or a shell would read them, and what is left where a message escapes some characters.
    found = {*text.split(), *_WORD.findall(text), *_RUN.findall(text)}
    return {word for word in found if len(word) >= _SHORTEST}
