"""Which files of a tree are ignored: gitignore patterns of the spec, and of files in the tree at any level.

Texts flow in, verdicts per path flow out. The Git adapter calls it, in a worker that can be killed: patterns of users
become regular expressions.

The last pattern that fits decides, as git has it, and those of a deeper folder outrank those above it. In one thing it
is milder than git: a file below an ignored folder can be taken in again, which is how such files are written for Flux.
"""

import re
import warnings
from collections.abc import Mapping
from typing import Final

from pathspec import GitIgnoreSpec

from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin

FILE_NAMES: Final = (".sourceignore", ".trimtabignore")
"""Read in this order: of two in one folder, the latter has the last word."""
MAX_PATTERNS: Final = 1000
MAX_PATTERN_LENGTH: Final = 512
_MAX_STARS: Final = 3
_MAX_DOUBLE_STARS: Final = 2
"""Stars in one part of a pattern, and parts that are two: each further one multiplies the time that a path takes."""


class IgnoreRules:
    """The patterns of a tree. `files` maps paths of ignore files to their texts, `spec` is `spec.ignore`.

    `prefix` is the folder of the tree that `spec` speaks of in which this tree stands.
    """

    def __init__(self, files: Mapping[str, str], *, spec: str = "", prefix: str = "") -> None:
        """Raises SourceError (InvalidIgnore) naming file and line of each pattern that is none."""
        self._of_spec = _compiled(spec, None) if spec.strip() else None
        self._prefix = f"{prefix}/" if prefix else ""
        self._of_folders: dict[str, list[GitIgnoreSpec]] = {}
        for path, text in sorted(files.items(), key=lambda item: FILE_NAMES.index(item[0].rpartition("/")[2])):
            self._of_folders.setdefault(path.rpartition("/")[0], []).append(_compiled(text, path))

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return self._of_spec is not None or bool(self._of_folders)

    def ignores(self, path: str) -> bool:
        """Whether a file, by its normal path, is left out; a submodule's path ends with a slash."""
        if self._of_spec is not None:
            verdict = self._of_spec.check_file(self._prefix + path).include
            if verdict is not None:
                return verdict
        *folders, _ = path.rstrip("/").split("/")
        for depth in range(len(folders), -1, -1):
            folder = "/".join(folders[:depth])
            for rules in reversed(self._of_folders.get(folder, ())):
                verdict = rules.check_file(path.removeprefix(f"{folder}/") if folder else path).include
                if verdict is not None:
                    return verdict
        return False


def is_ignore_file(path: str) -> bool:
    """Whether a file of a tree holds patterns."""
    return path.rpartition("/")[2] in FILE_NAMES


def _compiled(text: str, file: str | None) -> GitIgnoreSpec:
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if fault := _fault(line, number):
            raise SourceError(_refusal(fault, line, file, number))
    return _spec(lines)


def _spec(lines: list[str]) -> GitIgnoreSpec:
    """Raises ValueError or re.error where a line is no pattern."""
    with warnings.catch_warnings():
        # A bracket within brackets is a letter to git; Python only warns that it may mean more one day.
        warnings.simplefilter("ignore", FutureWarning)
        return GitIgnoreSpec.from_lines(lines)


def _fault(line: str, number: int) -> str:
    if number > MAX_PATTERNS:
        return f"is one of more than {MAX_PATTERNS} patterns"
    if len(line) > MAX_PATTERN_LENGTH:
        return f"is longer than {MAX_PATTERN_LENGTH} characters"
    if line.startswith("#"):
        return ""
    parts = line.rstrip().removesuffix("/**").split("/")
    if parts.count("**") + parts.count("!**") > _MAX_DOUBLE_STARS:
        return f"holds more than {_MAX_DOUBLE_STARS} times **"
    if any(part.count("*") > _MAX_STARS for part in parts):
        return f"holds more than {_MAX_STARS} stars between two slashes"
    try:
        _spec([line])
    except (ValueError, re.error):
        return "is no gitignore pattern"
    return ""


def _refusal(fault: str, line: str, file: str | None, number: int) -> Problem:
    return Problem(
        f"pattern {line[:80]!a} {fault}" + ("" if file else f" (line {number} of spec.ignore)"),
        origin=Origin(file, number) if file else None,
        reason="InvalidIgnore",
        remedy="write one gitignore pattern a line, simpler ones where need be",
    )
