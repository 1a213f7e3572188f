"""One figure of the bench: what was measured, how far it was spread, and what is aimed at."""

from dataclasses import dataclass
from statistics import median
from typing import Final

MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: a median or the quantile that is named, how far it was spread, and the aim (None: there is none)."""

    what: str
    value: float
    unit: str = ""
    spread: str = ""
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met, None where there is none."""
        return None if self.aim is None else self.value <= self.aim

    @property
    def number(self) -> str:
        """The figure with its unit."""
        whole = self.value >= 100 or (self.unit in ("", "MiB") and self.value == round(self.value))
        text = f"{self.value:.0f}" if whole else f"{self.value:.2f}"
        return f"{text} {self.unit}".strip()

    @property
    def aimed(self) -> str:
        """The aim with its unit."""
        return "" if self.aim is None else f"≤ {self.aim:g} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """Whether the aim is met, in a word."""
        return {True: "met", False: "missed", None: ""}[self.met]


@dataclass(frozen=True, slots=True)
class Section:
    """Lines about one thing."""

    title: str
    lines: list[Line]


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def middle(what: str, values: list[float], unit: str, *, aim: float | None = None) -> Line:
    """The median of some values, and how far they are spread."""
    spread = f"{min(values):.2f}-{max(values):.2f}, {len(values)} times" if len(values) > 1 else ""
    return Line(what, median(values), unit, spread, aim)
