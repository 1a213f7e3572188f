"""kustomize's failures as problems with a place, and without the content that kustomize likes to quote.

The renderer's adapter calls `failure` with what the build wrote to standard error, after nothing was found wrong with
the files themselves. Patches, literals and decoded values stand in these texts in brackets, braces, backticks and
quotes.
"""

import re
from posixpath import join, normpath
from typing import Final

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.render.kustomization import Kustomization

_SHOWN: Final = 400
_STEP: Final = re.compile(r"accumulating resources from '([^']+)'")
_FILE: Final = re.compile(r"in File: (\S+)")
_LINE: Final = re.compile(r"yaml: line (\d+):")
_NO_PART: Final = re.compile(r"\.\[no[A-Z][a-z]+\]")
_OUTSIDE: Final = (re.compile(r"(?:(?<=[\s'\"(])|^)/[^\s'\"/].*", re.DOTALL), "a path outside of the repository")
"""What follows such a path would tell whether it exists."""
_FILE_SOURCES: Final = re.compile(r"file sources: \[([^\[\]]*)\]")
_QUOTED_CONTENT: Final = (
    (re.compile(r"with config: `.*\n`: ", re.DOTALL), ""),
    (re.compile(r"`.*(?:`|\Z)", re.DOTALL), "`…`"),
    (re.compile(r"\[.*(?:\]|\Z)", re.DOTALL), "[…]"),
    (re.compile(r"\{.*(?:\}|\Z)", re.DOTALL), "{…}"),
    (re.compile(r"\"[^\"]*[\s\\:=][^\"]*(?:\"|\Z)"), '"…"'),
    (re.compile(r"(literal sources?|env source files?|invalid literal source).*", re.DOTALL), r"\1 …"),
)


def failure(stderr: str, kustomization: Kustomization, tree: str, files: frozenset[str]) -> Problem:
    """What to tell of a failed build. `tree` is the absolute folder of the materialised files, cut off all paths;
    `files` are the files in it.
    """
    root = tree.rstrip("/")
    text = stderr.replace(root + "/", "").replace(root, ".")
    origin = _place(text, kustomization, files)
    return Problem(
        f"kustomize: {masked(text, kustomization.secret_literals)}",
        origin=origin,
        remedy=f"try: kustomize build {kustomization.folder or '.'}",
        reason="BuildFailed",
    )


def masked(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text in one line of bounded length, without quoted content and without the given values."""
    text = _FILE_SOURCES.sub(r"file sources: \1", _NO_PART.sub("", text.strip().removeprefix("Error: ")))
    for secret in sorted((one for one in secrets if one), key=len, reverse=True):
        text = text.replace(secret, "…")
    for content, replacement in (_OUTSIDE, *_QUOTED_CONTENT):
        text = content.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _place(text: str, kustomization: Kustomization, files: frozenset[str]) -> Origin:
    """Follow kustomize's nested steps to the file that it was reading."""
    folder, place = kustomization.folder, kustomization.file
    for step in _STEP.findall(text):
        path = normpath(join(folder, step))
        if path in files:
            place = path
        elif any(name.startswith(path + "/") for name in files):
            folder = path
            place = next((f for f in sorted(files) if f.rpartition("/")[0] == folder and "ustomization" in f), place)
    if (named := _FILE.search(text)) and (path := normpath(join(folder, named[1]))) in files:
        place = path
    line = _LINE.search(text)
    return Origin(place, int(line[1]) if line else 0)
