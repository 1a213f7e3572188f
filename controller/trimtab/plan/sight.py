"""What is known of an object without asking the server again.

The loop derives it from the watches (and from lists and GETs for what no watch shows); `plan.build` decides on it.
"""

from dataclasses import dataclass

from trimtab.core.observed import Live
from trimtab.plan.ownership import Owner, proven, stays


@dataclass(frozen=True, slots=True)
class Owned:
    """There, with this Application's owner annotation and our Apply entry (`ownership.proven`).

    `baseline` is the keyed digest of what we own of it as the watch last showed it, `keep` whether it carries
    `trimtab.dev/prune: disabled`.
    """

    uid: str
    baseline: str
    resource_version: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Foreign:
    """There, without one of the two: never ours, stripped of its marks, or with copied ones. Metadata alone will do."""

    live: Live


@dataclass(frozen=True, slots=True)
class Missing:
    """The server said that there is no such object, or no such kind."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """Not known, and why: a request failed, a watch is down, an event is ambiguous."""

    reason: str


Sight = Owned | Foreign | Missing | Unsure


def sight_of(live: Live, owner: Owner, *, baseline: str) -> Owned | Foreign:
    """What a live object amounts to for the Application `owner`; an empty `baseline` equals no entry's."""
    if proven(live.body, owner):
        return Owned(live.uid, baseline, live.resource_version, keep=stays(live.body))
    return Foreign(live)
