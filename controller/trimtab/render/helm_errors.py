"""helm's failures as problems with a place, without values.

The chart stage of the renderer calls `failures` with what helm wrote to standard error. Texts that came from Secrets
are cut out, in every spelling that templates commonly give them, and so is what helm quotes of evaluated values.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from json import dumps
from typing import Final

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.core.visible import visible
from trimtab.render.helm_chart import in_folder
from trimtab.render.helm_places import Places

REASON: Final = "BuildFailed"
YAML_ERROR: Final = "YAML parse error on "
_SHOWN: Final = 600
_PARTS: Final = 4
"""Secret texts at least so long are cut out wherever they stand, shorter ones only as words of their own."""

_ADVICE: Final = "Use --debug flag to render out invalid YAML"
_CALLED: Final = re.compile(r"execution error at \(([^():\s]+):(\d+)(?::\d+)?\): (.*)", re.DOTALL)
_PARSE: Final = re.compile(r"parse error at \(([^():\s]+):(\d+)\): (.*)", re.DOTALL)
_STEP: Final = re.compile(r"template: ([^\s:]+):(\d+)(?::\d+)?: ")
_YAML: Final = re.compile(re.escape(YAML_ERROR) + r"([^\s:]+): (.*)", re.DOTALL)
_YAML_LINE: Final = re.compile(r"yaml: line \d+: ")
_VALUES: Final = re.compile(r"cannot load values\.yaml: (.*)", re.DOTALL)
_LINE: Final = re.compile(r"line (\d+)")
_SCHEMA: Final = re.compile(r"values don't meet the specifications of the schema\(s\)[^\n]*\n(.*)", re.DOTALL)
_SCHEMA_VALUES: Final = re.compile(r"(?<=')[^'\n]*'(?= (?:is not valid|does not match))")
_EVALUATED: Final = re.compile(r'(tpl function execution for|cannot parse template) ".*?"(?=: |$)', re.DOTALL)
_BACKTICKS: Final = re.compile(r"`[^`]*(?:`|\Z)")
_OUTSIDE: Final = re.compile(r"(?:(?<=[\s'\"(])|^)/[^\s'\":)]+")


def failures(stderr: str, places: Places, root: str, secrets: Iterable[str] = ()) -> tuple[Problem, ...]:
    """What to tell of a failed run. `root` is the absolute folder of the materialised files, cut off all paths."""
    text = stderr[stderr.find("Error: ") :].removeprefix("Error: ") if "Error: " in stderr else stderr
    text = text.replace(root.rstrip("/") + "/", "").replace(_ADVICE, "").strip()
    text = masker(secrets)(text)
    schema = _SCHEMA.search(text)
    if schema:
        return tuple(_schema_faults(schema[1], places)) or (_failed(text, Origin(places.chart_file), places),)
    message, origin = _place(text, places)
    return (_failed(message, origin, places),)


def masker(secrets: Iterable[str]) -> Callable[[str], str]:
    """Takes the given texts out of others: raw, in base64, quoted as JSON does, and line by line."""
    spelled = sorted(set(_spellings(secrets)), key=len, reverse=True)

    def mask(text: str) -> str:
        for secret in spelled:
            if secret in text:
                bare = re.escape(secret)
                text = re.sub(bare if len(secret) >= _PARTS else rf"(?<!\w){bare}(?!\w)", "…", text)
        return text

    return mask


def _spellings(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        stripped = secret.strip()
        for text in {secret, stripped, *stripped.split("\n")} - {""}:
            yield text
            yield dumps(text)[1:-1]
            yield b64encode(text.encode()).decode()
            yield text.upper()
            yield text.lower()


def _place(text: str, places: Places) -> tuple[str, Origin]:
    """The message without its place, and the place: the innermost template of the source that helm names."""
    if found := (_CALLED.search(text) or _PARSE.search(text)):
        return found[3], Origin(places.file(found[1]), int(found[2]))
    if found := _YAML.search(text):
        return _YAML_LINE.sub("", found[2]) + ", in what the template writes", places.origin(found[1])
    steps = [step for step in _STEP.finditer(text) if "/" in step[1]]
    if steps:
        last = steps[-1]
        return text[last.end() :], Origin(places.file(last[1]), int(last[2]))
    if found := _VALUES.search(text):
        line = _LINE.search(found[1])
        return found[1], Origin(in_folder(places.folder, "values.yaml"), int(line[1]) if line else 0)
    return text, Origin(places.chart_file)


def _schema_faults(text: str, places: Places) -> Iterator[Problem]:
    """One problem per violation. Charts are told by name, without the path to them."""
    top = chart = places.chart.name
    for line in text.splitlines():
        if line.startswith("- "):
            below = f"charts/{chart}/" if chart != top else ""
            file = places.file(f"{top}/{below}values.schema.json")
            message = _SCHEMA_VALUES.sub("…'", line.removeprefix("- "))
            whose = f"values of {chart} " if chart != top else "values "
            yield Problem(
                visible(_short(whose + message)), origin=Origin(file), remedy="correct the values", reason=REASON
            )
        elif line.rstrip().endswith(":"):
            chart = line.rstrip().removesuffix(":")
        elif line.strip():
            message = f"the schema of {chart} cannot be used: {line.strip()}"
            yield Problem(visible(_short(message)), origin=Origin(places.chart_file), remedy="", reason=REASON)


def _failed(message: str, origin: Origin, places: Places) -> Problem:
    message = _EVALUATED.sub(r'\1 "…"', message)
    message = _OUTSIDE.sub("a path outside of the source", _BACKTICKS.sub("`…`", message))
    return Problem(
        f"helm: {visible(_short(' '.join(message.split())))}",
        origin=origin,
        remedy=f"try: helm template {places.folder or '.'}",
        reason=REASON,
    )


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
