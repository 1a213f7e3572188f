"""Chart.yaml, checked before helm sees it: names that climb, links in the lock's place, dependencies that lead away.

Bytes of a chart's own files flow in, a `Chart` flows out; `helm_dependencies` and the chart stage of the renderer read
it. Names become folders wherever helm unpacks or writes a chart, so dots and slashes in them have been used to write
elsewhere.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.documents import read_file

CHART: Final = "Chart.yaml"
LOCK: Final = "Chart.lock"
OLD_REQUIREMENTS: Final = "requirements.yaml"
OLD_LOCK: Final = "requirements.lock"
"""Charts of the first format keep their dependencies in files of their own."""
REASON: Final = "InvalidChart"

_NAME: Final = re.compile(r"(?!\.+$)[A-Za-z0-9][A-Za-z0-9._-]{0,249}")
_ALIAS: Final = re.compile(r"[A-Za-z0-9_-]{1,250}")
_VERSION: Final = re.compile(r"[A-Za-z0-9 .,<>=~^*|+!-]{0,250}")
_REPOSITORY: Final = re.compile(r"(?:(?:https?|oci|file)://|@|alias:)[^\s\x00-\x1f\x7f\\]{1,2000}|")


@dataclass(frozen=True, slots=True)
class Dependency:
    """A chart that another one names. `version` may be a range, `repository` may be empty."""

    name: str
    version: str
    repository: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart by its description. `old` says that dependencies stand in requirements.yaml."""

    file: str
    name: str
    library: bool
    old: bool
    dependencies: tuple[Dependency, ...]


def in_folder(folder: str, name: str) -> str:
    """The path of a name in a folder; the empty folder is the root."""
    return f"{folder}/{name}" if folder else name


def chart_folder(files: frozenset[str], path: str) -> str | None:
    """The folder of the chart that a path is; None where it is none.

    A chart artifact may hold its chart in a single folder, so a root with nothing else beside it counts as well.
    """
    if in_folder(path, CHART) in files:
        return path
    top = {name.partition("/")[0] for name in files}
    if path == "" and len(top) == 1 and f"{(only := top.pop())}/{CHART}" in files:
        return only
    return None


def read_chart(data: bytes, file: str) -> Chart:
    """Read and check a Chart.yaml. Raises RenderError with all that is wrong in it."""
    content = _mapping(data, file)
    problems = list(_name_faults(content.get("name"), file))
    dependencies = _dependencies(content, file, problems)
    if problems:
        raise RenderError(*problems)
    old = content.get("apiVersion") != "v2"
    return Chart(file, content["name"], content.get("type") == "library", old, dependencies)


def read_dependencies(data: bytes, file: str) -> tuple[Dependency, ...]:
    """The dependencies of a requirements.yaml or of a lock. Raises RenderError."""
    problems: list[Problem] = []
    found = _dependencies(_mapping(data, file), file, problems)
    if problems:
        raise RenderError(*problems)
    return found


def refused_links(links: Mapping[str, str], folder: str) -> tuple[Problem, ...]:
    """Descriptions and locks that are symbolic links: whoever writes a lock would write where the link leads."""
    names = {in_folder(folder, name) for name in (CHART, LOCK, OLD_REQUIREMENTS, OLD_LOCK)}
    return tuple(
        wrong("a symbolic link where a chart's own file belongs", link, "put the file itself there")
        for link in sorted(links)
        if link in names
    )


def wrong(message: str, file: str, remedy: str, line: int = 0) -> Problem:
    """A problem of a chart."""
    return Problem(message, origin=Origin(file, line), remedy=remedy, reason=REASON)


def _mapping(data: bytes, file: str) -> dict[str, Any]:
    content = read_file(data, file)
    if content.problems:
        raise RenderError(*content.problems)
    if len(content.documents) != 1 or not isinstance(content.documents[0].value, dict):
        raise RenderError(wrong("not one mapping", file, "correct the file"))
    value: dict[str, Any] = content.documents[0].value
    return value


def _name_faults(name: Any, file: str) -> Iterator[Problem]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield wrong("the chart's name is not valid", file, "set name to letters, digits, dashes and single dots")


def _dependencies(content: dict[str, Any], file: str, problems: list[Problem]) -> tuple[Dependency, ...]:
    entries = content.get("dependencies")
    if entries is None:
        return ()
    if not isinstance(entries, list):
        problems.append(wrong("dependencies are no list", file, "correct dependencies"))
        return ()
    found = []
    for number, entry in enumerate(entries):
        fields = entry if isinstance(entry, dict) else {}
        values = [str(fields.get(key) or "") for key in ("name", "version", "repository", "alias")]
        syntaxes = (_NAME, _VERSION, _REPOSITORY, _ALIAS)
        for key, value, syntax in zip(("name", "version", "repository", "alias"), values, syntaxes, strict=True):
            if (value or key == "name") and not syntax.fullmatch(value):
                problems.append(wrong(f"dependencies[{number}].{key} is not valid", file, f"correct the {key}"))
        found.append(Dependency(*values))
    return tuple(found)
