"""Transcripts of an apply run: `>> event` goes in, `<< commands` must come out, in any order.

Playbook(run) << [Record(...)] >> Recorded() << [Apply(...)]
"""

from typing import Self

from trimtab.apply.commands import Command
from trimtab.apply.engine import ApplyRun
from trimtab.apply.events import Event


class Playbook:
    """One run, started. What an event brings must be claimed by the next `<<`, or be nothing."""

    def __init__(self, run: ApplyRun) -> None:
        self.run = run
        self._out: list[Command] = run.start()

    def __rshift__(self, event: Event) -> Self:
        assert self._out == [], f"not expected: {self._out}"
        self._out = self.run.on(event)
        return self

    def __lshift__(self, commands: list[Command]) -> Self:
        assert len(self._out) == len(commands), self._out
        for command in commands:
            assert command in self._out, f"{command} is not among {self._out}"
        self._out = []
        return self

    def cancel(self) -> Self:
        """The run is cancelled here."""
        assert self._out == []
        self._out = self.run.cancel()
        return self

    def take(self) -> list[Command]:
        """What came out, to be looked at."""
        out, self._out = self._out, []
        return out

    def end(self) -> ApplyRun:
        """Nothing more comes out, and the run is done."""
        assert self._out == []
        assert self.run.done
        return self.run
