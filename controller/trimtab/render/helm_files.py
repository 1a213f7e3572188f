"""Where a chart's values files are: a path in the Application's own source, or in a further one.

The chart stage of the renderer gives what the spec says; the name of a source and a path in it flow out.
"""

from posixpath import join, normpath
from typing import Final

from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin

_REMEDY: Final = "write a path relative to the chart's folder, or $name/path for a further source"


def values_path(text: str, folder: str, sources: frozenset[str]) -> tuple[str, str]:
    """Source (empty: the Application's own) and path of a values file. Raises RenderError where it leads away.

    `folder` is the chart's, `sources` names the further ones.
    """
    if not text.isprintable() or "\\" in text or "://" in text or text.startswith("/"):
        raise RenderError(_wrong(f"valueFiles entry {text[:80]!a} is no relative path", _REMEDY))
    source, base = "", folder
    if text.startswith("$"):
        source, _, text = text[1:].partition("/")
        base = ""
        if source not in sources:
            known = ", ".join(sorted(f"${name}" for name in sources)) or "none"
            raise RenderError(_wrong(f"valueFiles names the source ${source[:80]}", f"known are: {known}"))
    path = normpath(join(base, text))
    if path in (".", "..") or path.startswith("../"):
        raise RenderError(_wrong(f"valueFiles entry {text[:80]!a} leaves the source", _REMEDY))
    return source, path


def missing(text: str) -> Problem:
    """What to tell of a values file that does not exist."""
    return _wrong(f"the values file {text} does not exist", "add it, or set ignoreMissingValueFiles: true")


def _wrong(message: str, remedy: str) -> Problem:
    return Problem(message, origin=Origin("spec.helm.valueFiles"), remedy=remedy, reason="InvalidValues")
