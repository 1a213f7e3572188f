"""Who last changed a file: what an error about it names, so that nobody has to search for whom to ask.

The history port finds it, problems carry it, status and the CLI show it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LastChange:
    """The commit that last changed a file, or one line of it where `of_line` says so, and its author."""

    commit: str
    author: str
    of_line: bool = False

    def __str__(self) -> str:
        return f"{'line ' if self.of_line else ''}last changed by {self.author} in {self.commit[:12]}"
