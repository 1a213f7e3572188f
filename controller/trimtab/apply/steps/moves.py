"""What a step wants next, and what every step can do.

Steps return moves to `apply.engine`, which issues commands, writes entries and draws conclusions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from trimtab.apply.commands import ObjectCommand, Retry
from trimtab.apply.events import ObjectEvent
from trimtab.apply.results import Ending, Operation
from trimtab.core.errors import Problem
from trimtab.core.inventory import Applied, Entry
from trimtab.core.manifest import Manifest
from trimtab.core.refs import ObjectRef

EntryOf = Callable[[Manifest, dict[str, Any]], Applied]
"""Makes the inventory entry from a manifest and the server's answer to its apply; the keys stay with the caller."""


class UnexpectedEvent(ValueError):
    """The interpreter reported something that answers no command: a bug, never the cluster's doing."""


@dataclass(frozen=True, slots=True)
class Change:
    """A new inventory entry for the step's object; None removes it."""

    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Do:
    """Issue a command. `change` may be written whenever it suits."""

    command: ObjectCommand | Retry
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Write an entry first, then call `recorded`: what follows must not happen unrecorded."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class End:
    """The step is over. `problem` says why it did not succeed."""

    ending: Ending
    problem: Problem | None = None
    change: Change | None = None


Move = Do | Write | End


class Step(Protocol):
    """One object's state machine. `intent`: the entry that must be on record before `begin` may be called."""

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        ...

    @property
    def operation(self) -> Operation:
        """What it amounts to by now."""
        ...

    @property
    def intent(self) -> Entry | None:
        """What to write ahead; None where nothing is."""
        ...

    @property
    def prunes(self) -> bool:
        """Whether it waits until everything that is to be applied has had its turn."""
        ...

    def begin(self) -> Move:
        """The first move."""
        ...

    def recorded(self) -> Move:
        """The move after a `Write` was carried out."""
        ...

    def on(self, event: ObjectEvent) -> Move:
        """The move after an event."""
        ...
