"""Bounds how many problems are searched for what they may not show.

All problems of a build flow in, those that will be told flow out. Nobody reads more, and each costs time.
"""

from collections.abc import Callable, Sequence
from typing import Final

from trimtab.core.errors import Problem

TOLD: Final = 100


def first_problems(problems: Sequence[Problem], told: Callable[[Problem], Problem]) -> tuple[Problem, ...]:
    """The first of them as they may be told, and one that says how many are left out."""
    first = tuple(told(problem) for problem in problems[:TOLD])
    if len(problems) <= TOLD:
        return first
    left = len(problems) - TOLD
    return (*first, Problem(f"{left} more problems are not told", remedy="correct the others first"))
