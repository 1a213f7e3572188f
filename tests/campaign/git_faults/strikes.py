"""What goes wrong between a controller and a git server, and when: the words of the campaign of git faults.

A seed and a run's number flow in, a `Run` flows out: the same one for the same two, whatever ran before it.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Transport(StrEnum):
    """How the server is reached."""

    HTTP = "http"
    HTTPS = "https"
    SSH = "ssh"


class Fault(StrEnum):
    """What goes wrong."""

    CUT = "connection cut"
    STALL = "stall"
    TRUNCATED = "truncated and closed cleanly"
    STATUS_500 = "500"
    STATUS_502 = "502"
    STATUS_401 = "401"
    DRIP = "slow drip"
    GARBAGE = "garbage"
    DAMAGED = "damaged pack"
    LENGTH_STAYS = "Content-Length too long and no end"
    LENGTH_ENDS = "Content-Length too long"
    LENGTH_SHORT = "Content-Length too short"
    FOREIGN = "answer of another protocol"
    REFUSED = "connection refused"


class Phase(StrEnum):
    """When it strikes."""

    CONNECTION = "connection"
    INFO = "info/refs"
    REFS = "ls-refs"
    INFO_AGAIN = "info/refs of the fetch"
    HISTORY = "history"
    NEGOTIATION = "negotiation"
    PACK = "pack"
    KEYS = "key exchange"


STATUSES = {Fault.STATUS_500, Fault.STATUS_502, Fault.STATUS_401}
_OF_CONNECTIONS = {Fault.FOREIGN, Fault.REFUSED}
_OF_STREAMS = (Fault.CUT, Fault.STALL, Fault.TRUNCATED, Fault.DRIP, Fault.GARBAGE)
_OF_HTTP = (*_OF_STREAMS, *sorted(STATUSES), Fault.LENGTH_STAYS, Fault.LENGTH_ENDS, Fault.LENGTH_SHORT)
_HTTP_PHASES = (Phase.INFO, Phase.REFS, Phase.INFO_AGAIN, Phase.NEGOTIATION, Phase.PACK, Phase.PACK)
_SSH_PHASES = (Phase.KEYS, Phase.REFS, Phase.PACK, Phase.PACK)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault in a phase; `share` from 0 to 1 is how much of the phase passes before, `noise` seeds its bytes."""

    fault: Fault
    phase: Phase
    share: float
    noise: int

    def __str__(self) -> str:
        return f"{self.fault} at {self.share:.0%} of the {self.phase}"


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `first`: into a new mirror; `pinned`: of a commit on a branch, for which the history is fetched."""

    number: int
    transport: Transport
    first: bool
    pinned: bool
    deletes: bool
    strike: Strike

    def __str__(self) -> str:
        way = "first clone" if self.first else "fetch"
        return f"run {self.number}: {self.strike}, {way} over {self.transport}{', pinned' if self.pinned else ''}"


def draw(seed: int, number: int, home: Transport) -> Run:
    """The run of a number; what is no first clone goes over the transport of the lane's home."""
    chance = Random(f"{seed}:{number}")
    first = chance.random() < 0.35
    transport = chance.choice(list(Transport)) if first else home
    pinned = transport is not Transport.SSH and chance.random() < 0.3
    strike = _strike(chance, transport, pinned=pinned)
    return Run(number, transport, first, pinned, chance.random() < 0.5, strike)


def _strike(chance: Random, transport: Transport, *, pinned: bool) -> Strike:
    faults = list(_OF_STREAMS if transport is Transport.SSH else _OF_HTTP)
    faults += [Fault.REFUSED, *([] if transport is Transport.HTTP else [Fault.FOREIGN])]
    faults += [] if transport is Transport.SSH else [Fault.DAMAGED]
    fault = chance.choice(faults)
    phases = list(_SSH_PHASES if transport is Transport.SSH else _HTTP_PHASES)
    phases += [Phase.HISTORY] * 4 if pinned else []
    phase = chance.choice(phases)
    if fault in _OF_CONNECTIONS:
        phase = Phase.CONNECTION
    elif fault is Fault.DAMAGED:
        phase = Phase.PACK
    return Strike(fault, phase, chance.random(), chance.randrange(1 << 32))
