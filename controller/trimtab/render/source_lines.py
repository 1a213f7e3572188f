"""In which line of a source file something stands: a last look at the text, for those who read problems.

`substitution` asks for variables; nothing depends on the answer.
"""

import re
from collections.abc import Callable

ReadSource = Callable[[str], bytes | None]
"""A file's bytes by its path from the repository's root; None where there is none."""


def find_line(data: bytes | None, word: str, *, start: int = 1) -> int:
    """The first line from `start` on that holds the word as a whole and behind `${`, else anywhere; 0 where none is."""
    lines = (data or b"").decode(errors="replace").splitlines()
    whole = re.compile(rf"\$\{{[^}}]*(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])")
    numbered = list(enumerate(lines, 1))
    for begin in (max(start, 1), 1):
        for number, line in numbered[begin - 1 :]:
            if whole.search(line) or (word.startswith("${") and word in line):
                return number
    return 0
