"""Keeps what was decrypted out of messages: problems that would quote it are told without their words.

The decryption stage notes what came out of each file; every problem of the build goes through here.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from trimtab.core.errors import Problem
from trimtab.render.first_problems import first_problems

_WORD: Final = re.compile(r"[^\s\"',:=\[\]{}]+")
_RUN: Final = re.compile(r"[A-Za-z0-9]+")
_SHORTEST: Final = 3
_LONGEST: Final = 64
"""The beginning of a longer word gives it away as well."""


class Withholding:
    """What was decrypted for one build."""

    def __init__(self) -> None:
        self._words: set[str] = set()

    def note(self, plain: bytes, encrypted: bytes) -> None:
        """Remember the words of a decrypted text that its encrypted form does not show. Large ones take seconds."""
        self._words |= _words(plain) - _words(encrypted)

    def __call__(self, problems: Sequence[Problem]) -> tuple[Problem, ...]:
        """The first problems, those that show any such word with a message that does not."""
        return first_problems(problems, self._told)

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
        # A message has fewer pieces than a file has words.
        ends = range(_SHORTEST, _LONGEST + 1)
        return any(text[start : start + length] in self._words for start in range(len(text)) for length in ends)


def _words(data: bytes) -> set[str]:
    text = data.decode(errors="replace")
    # As they stand, as YAML or a shell would read them, and what is left where a message escapes some characters.
    found = {*text.split(), *_WORD.findall(text), *_RUN.findall(text)}
    return {word[:_LONGEST] for word in found if len(word) >= _SHORTEST}
