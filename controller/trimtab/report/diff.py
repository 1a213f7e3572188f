"""Two states of an object as a unified diff of their YAML, with Secrets masked and the server's own fields left out.

The CLI's `diff` hands in the live object and what a dry run would make of it, and prints the text.
"""

import difflib
from typing import Any, Final

import yaml

from trimtab.core.refs import ObjectRef
from trimtab.report.masking import is_secret, masked_pair

_SERVERS_OWN: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
_RED, _GREEN, _CYAN, _BOLD, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[1m", "\x1b[0m"


def unified_diff(
    ref: ObjectRef, before: dict[str, Any] | None, after: dict[str, Any] | None, *, coloured: bool = False
) -> str:
    """The diff, empty where nothing differs that a manifest could say; None stands for an absent object."""
    if is_secret(ref):
        before, after = masked_pair(before, after)
    name = str(ref)
    lines = list(
        difflib.unified_diff(
            _lines(before),
            _lines(after),
            fromfile=f"live/{name}" if before is not None else "/dev/null",
            tofile=f"git/{name}" if after is not None else "/dev/null",
        )
    )
    return "".join(_coloured(line) for line in lines) if coloured else "".join(lines)


def _lines(body: dict[str, Any] | None) -> list[str]:
    if body is None:
        return []
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key not in _SERVERS_OWN}
    shown = {key: value for key, value in body.items() if key != "status"} | {"metadata": metadata}
    text: str = yaml.dump(shown, Dumper=_Dumper, width=1_000_000, allow_unicode=True, sort_keys=True)
    return [f"{line}\n" for line in text.splitlines()]


def _coloured(line: str) -> str:
    colour = {"+": _GREEN, "-": _RED, "@": _CYAN}.get(line[0], "")
    if line.startswith(("--- ", "+++ ")):
        colour = _BOLD
    return f"{colour}{line.rstrip(chr(10))}{_PLAIN}\n" if colour else line


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a changed line shows as one; no anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
