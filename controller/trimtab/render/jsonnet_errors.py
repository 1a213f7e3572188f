"""Why a Jsonnet file could not be evaluated, with the place in the tree.

The adapter that runs go-jsonnet gives what it wrote to standard error; the first place in a file of the tree is told.
"""

import re
from typing import Final

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin

_PLACE: Final = re.compile(r"^\s*([^\s:][^:\n]*):\(?(\d+):\d+\)?(?:-\(?[\d:]+\)?)?[ \t]*", re.MULTILINE)
_PREFIX: Final = re.compile(r"^(RUNTIME ERROR: )?(importer error: |couldn't open import .*?: )?(trimtab: )?")
_SHOWN: Final = 300


def is_missing_import(stderr: str) -> bool:
    """Whether an import was not found, which more files may mend."""
    return "trimtab: no such import: " in stderr


def failure(stderr: str, file: str, files: frozenset[str]) -> Problem:
    """What to tell of a failed evaluation of `file`; `files` are those of the tree."""
    origin = Origin(file)
    for name, line in _PLACE.findall(stderr):
        if name in files:
            origin = Origin(name, int(line))
            break
    text = next((line.strip() for line in stderr.splitlines() if line.strip()), "it ended without a word")
    text = _PREFIX.sub("", text[place.end() :] if (place := _PLACE.match(text)) else text)
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    remedy = "correct it; imports are looked for beside the file and in spec.directory.jsonnet.libs"
    return Problem(f"jsonnet: {shown}", origin=origin, remedy=remedy, reason="BuildFailed")
