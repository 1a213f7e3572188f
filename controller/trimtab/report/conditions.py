"""Conditions in kstatus' manner: what is said now, merged with what was said before.

The status builders say; `merge` decides which transition times stay.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trimtab.api.application import READY, RECONCILING, STALLED
from trimtab.api.model import Condition, ConditionStatus
from trimtab.api.timestamps import format_time
from trimtab.core.visible import visible

MESSAGE_CHARACTERS: Final = 4096
"""Where the message of a condition is cut: enough for several errors, and far from the limit of the type."""


@dataclass(frozen=True, slots=True)
class Said:
    """A condition without its times: a type, a status, one CamelCase word for machines, a sentence for people."""

    type: str
    status: ConditionStatus
    reason: str
    message: str


def true(kind: str, reason: str, message: str) -> Said:
    """The condition holds."""
    return Said(kind, ConditionStatus.TRUE, reason, message)


def false(kind: str, reason: str, message: str) -> Said:
    """The condition does not hold."""
    return Said(kind, ConditionStatus.FALSE, reason, message)


def unknown(kind: str, reason: str, message: str) -> Said:
    """It is not known whether the condition holds."""
    return Said(kind, ConditionStatus.UNKNOWN, reason, message)


def progressing(reason: str, message: str) -> tuple[Said, Said]:
    """Work is under way and has not failed: Ready is unknown, Reconciling holds."""
    return unknown(READY, reason, message), true(RECONCILING, reason, message)


def failing(reason: str, message: str, *, retry: bool) -> tuple[Said, Said]:
    """Not ready: Reconciling says that it is being retried, Stalled that only a change by a user helps."""
    extra = true(RECONCILING, "Retrying", message) if retry else true(STALLED, reason, message)
    return false(READY, reason, message), extra


def merge(
    old: Iterable[Condition], said: Iterable[Said], *, generation: int, now_seconds: float
) -> tuple[Condition, ...]:
    """Exactly the conditions said, in that order; a transition time is now only where the status is another one.

    What is not said any more is dropped: Reconciling and Stalled are there only while they hold.
    """
    before = {condition.type: condition for condition in old}
    return tuple(_merged(before.get(each.type), each, generation, now_seconds) for each in said)


def shorten(text: str, *, characters: int) -> str:
    """The text without what a terminal would obey, cut with an ellipsis where it is longer."""
    text = visible(text)
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _merged(before: Condition | None, said: Said, generation: int, now_seconds: float) -> Condition:
    same = before is not None and before.status is said.status
    return Condition(
        type=said.type,
        status=said.status,
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before and same else format_time(now_seconds),
        reason=said.reason,
        message=shorten(said.message, characters=MESSAGE_CHARACTERS),
    )
