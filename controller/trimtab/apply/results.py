"""What an apply run came to, object by object.

`ApplyRun` makes them; the loop turns them into status, Events and metrics.
"""

from dataclasses import dataclass
from enum import StrEnum

from trimtab.core.errors import Problem
from trimtab.core.refs import ObjectRef


class Operation(StrEnum):
    """What was (to be) done; the label under which metrics count it."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    RECREATE = "recreate"
    DELETE = "delete"
    ORPHAN = "orphan"
    FORGET = "forget"
    NONE = "none"


class Ending(StrEnum):
    """How it went."""

    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Not tried, because something it waits for did not succeed."""
    SUPERSEDED = "superseded"
    """Given up half-way or never begun, because the run was cancelled."""
    TERMINATING = "terminating"
    """The deletion was accepted, but finalizers outlast the wait; the entry stays."""


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """`problem` is set for every ending but Done and Superseded; `behind`: what blocked it."""

    ref: ObjectRef
    operation: Operation
    ending: Ending
    problem: Problem | None = None
    behind: ObjectRef | None = None
