"""Fights: somebody sets a field back each time that it is corrected. The object waits longer and longer, others do not.

Corrections flow in with their time, the wait before the next one flows out; the drift desk keeps one value per object.
The first correction is never delayed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CORRECTIONS: Final = 5
"""Corrections of one field by one manager within the window that make a fight."""
WINDOW_SECONDS: Final = 60.0
FIRST_WAIT_SECONDS: Final = 2.0
GROWTH: Final = 3.0
LONGEST_WAIT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True, order=True)
class Opponent:
    """Who fights over which field."""

    path_text: str
    actor: str


@dataclass(frozen=True, slots=True)
class Fights:
    """The corrections of one object that still count. Times are seconds on one clock of the caller's.

    `level` 0 is peace; each further correction of a contested field raises it and triples the wait.
    """

    level: int = 0
    until_seconds: float = 0.0
    opponents: frozenset[Opponent] = frozenset()
    recent: Mapping[Opponent, tuple[float, ...]] = field(default_factory=dict)

    def wait_seconds(self, *, now: float) -> float:
        """How long the object is still to be left alone; 0 most of the time."""
        return max(0.0, self.until_seconds - now) if self.level else 0.0

    def corrected(self, path_text: str, actor: str, *, now: float) -> "Fights":
        """The state after one more correction, of a field that `actor` had changed."""
        calm = self._calm_seconds
        recent = {known: kept for known, times in self.recent.items() if (kept := _since(times, now - calm))}
        level = self.level if any(known in self.opponents for known in recent) else 0
        opponent = Opponent(path_text, actor)
        times = (*recent.get(opponent, ()), now)
        recent[opponent] = times[-CORRECTIONS:]
        opponents = self.opponents & recent.keys() if level else frozenset()
        contested = opponent in opponents or len(_since(times, now - WINDOW_SECONDS)) >= CORRECTIONS
        if not contested:
            return Fights(level, self.until_seconds if level else 0.0, opponents, recent)
        # Several fields put right by one apply are one round of the fight.
        same_round = level > 0 and self.until_seconds > now
        level = level if same_round else level + 1
        until = self.until_seconds if same_round else now + wait_after(level)
        return Fights(level, until, opponents | {opponent}, recent)

    @property
    def _calm_seconds(self) -> float:
        """Without a correction for that long, peace is back: longer than a wait, so that a wait is none."""
        return WINDOW_SECONDS + (2 * wait_after(self.level) if self.level else 0.0)


def wait_after(level: int) -> float:
    """Seconds to wait at a level of 1 and above: 2, 6, 18, 54, 162, 300."""
    return min(FIRST_WAIT_SECONDS * GROWTH ** (level - 1), LONGEST_WAIT_SECONDS)


def _since(times: tuple[float, ...], start: float) -> tuple[float, ...]:
    return tuple(time for time in times if time > start)
