"""What a GitRepository may say of each fault: the campaign's own judgement of a Ready condition.

A run and the condition that followed flow in, complaints flow out; none where all is as it should be.
"""

from collections.abc import Mapping
from typing import Any, Final

from tests.campaign.git_faults.strikes import Fault, Phase, Run

_BROKEN_OFF: Final = {"TransferFailed"}
_REASONS: Final[Mapping[Fault, set[str]]] = {
    Fault.CUT: _BROKEN_OFF,
    Fault.STALL: {"TimedOut"},
    Fault.TRUNCATED: _BROKEN_OFF,
    Fault.STATUS_500: {"ServerError"},
    Fault.STATUS_502: {"ServerError"},
    Fault.STATUS_401: {"AuthenticationFailed"},
    Fault.DRIP: {"TimedOut"},
    Fault.GARBAGE: {"NotARepository", "TransferFailed", "ContentRefused", "SSHNegotiationFailed"},
    Fault.DAMAGED: {"ContentRefused", "NotARepository"},
    Fault.LENGTH_STAYS: {"TimedOut"},
    Fault.LENGTH_ENDS: _BROKEN_OFF,
    Fault.LENGTH_SHORT: _BROKEN_OFF,
    Fault.FOREIGN: {"TLSFailed", "TransferFailed"},
    Fault.REFUSED: {"ConnectionFailed"},
}
_LONGEST_MESSAGE: Final = 1000
BORNE: Final = frozenset({Fault.TRUNCATED, Fault.LENGTH_ENDS, Fault.LENGTH_SHORT})
"""What may pass unnoticed: where all that git reads has come before."""


def reasons(run: Run) -> set[str]:
    """What may be told of a run's fault."""
    first = run.strike.phase in (Phase.INFO, Phase.INFO_AGAIN)
    # The first line says that it is git which answers: without it, nothing does.
    early = first and _REASONS[run.strike.fault] is _BROKEN_OFF
    return _REASONS[run.strike.fault] | ({"NotARepository"} if early else set())


def judge(run: Run, condition: Mapping[str, Any], url: str, secrets: tuple[str, ...]) -> list[str]:
    """What is wrong with how a fault was told."""
    reason, message = condition.get("reason", ""), condition.get("message", "")
    found = []
    if condition.get("status") != "False" or reason not in reasons(run):
        found.append(f"told as {condition.get('status')} {reason}: {message}")
    if url.split("/")[2].rpartition("@")[2] not in message:
        found.append(f"the message does not name the server: {message}")
    if any(secret in message for secret in secrets):
        found.append("the message holds credentials")
    if not all(character.isprintable() or character == "\n" for character in message):
        found.append(f"the message holds what no terminal shows: {message!r}")
    if not 0 < len(message) <= _LONGEST_MESSAGE:
        found.append(f"the message has {len(message)} characters")
    return found
