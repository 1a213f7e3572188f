"""The index of a Helm chart repository: which versions of which charts there are, and where they lie.

The bytes of an `index.yaml` flow in, a `ChartIndex` flows out, and from it the version that a range asks for. It
is read event by event, so that a hostile index builds nothing: aliases are refused, and what is not needed is passed
over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from trimtab.core.errors import Problem, SourceError
from trimtab.source.versions import Range, newest

MAX_INDEX_BYTES: Final = 48 * 1024 * 1024
MAX_VERSIONS: Final = 50_000
MAX_EVENTS: Final = 3_000_000
"""Scalars, lists and mappings in all. Two bytes can make one, and each costs time that no deadline ends."""
MAX_DEPTH: Final = 64
_MAX_TEXT: Final = 4096
_KEPT: Final = ("version", "digest")

Events = Iterator[Any]


@dataclass(frozen=True, slots=True)
class ChartVersion:
    """One packed chart. `digest` is a hexadecimal SHA-256 or empty, `url` absolute or relative to the repository."""

    version: str
    url: str
    digest: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ChartIndex:
    """Charts by name, the versions of each as listed. There may be many: nobody compares them one by one."""

    charts: Mapping[str, tuple[ChartVersion, ...]]

    @property
    def size(self) -> int:
        """How many charts and versions it lists."""
        return len(self.charts) + sum(len(versions) for versions in self.charts.values())

    def choose(self, name: str, version: str) -> ChartVersion:
        """The listed version that is named, or else the newest within a range; of very many, in a second or so.

        Raises SourceError.
        """
        listed = self.charts.get(name)
        if not listed:
            message = f"the repository has no chart {name[:80]!a}"
            raise SourceError(Problem(message, reason="ChartNotFound", remedy="check spec.chart.name", retry=True))
        by_text = {each.version: each for each in reversed(listed)}
        if version in by_text:
            return by_text[version]
        try:
            found = newest(Range.parse(version), by_text)
        except ValueError as error:
            remedy = "correct spec.chart.version"
            raise SourceError(Problem(str(error), reason="InvalidVersion", remedy=remedy)) from None
        if found is None:
            there = ", ".join([each.version for each in listed[:5]])
            message = f"chart {name[:80]} has no version within {version[:80]!a} (there are: {there[:200]})"
            remedy = "correct spec.chart.version; pre-releases are taken only where the range names one"
            raise SourceError(Problem(message, reason="ChartNotFound", remedy=remedy, retry=True))
        return by_text[found]


def parse_index(content: bytes) -> ChartIndex:
    """Read an index. Raises SourceError (reason IndexRefused)."""
    if len(content) > MAX_INDEX_BYTES:
        raise _refusal(f"is larger than {MAX_INDEX_BYTES} bytes")
    try:
        return ChartIndex(_read(_checked(yaml.parse(content, Loader=yaml.CSafeLoader))))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _refusal(f"is no YAML{f' (line {mark.line + 1})' if mark else ''}") from None


def _checked(events: Events) -> Events:
    """The events of one document, without its frame; aliases and deep nesting are refused."""
    depth = 0
    for count, event in enumerate(events):
        if count >= MAX_EVENTS:
            raise _refusal(f"is made of more than {MAX_EVENTS} parts")
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(f"uses an alias{_line(event)}")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _refusal(f"is nested too deeply{_line(event)}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            yield event


def _read(events: Events) -> dict[str, tuple[ChartVersion, ...]]:
    if not isinstance(next(events, None), yaml.MappingStartEvent):
        raise _refusal("is no mapping")
    charts: dict[str, tuple[ChartVersion, ...]] | None = None
    for key in _keys(events):
        if key == "entries":
            charts = _entries(events)
        else:
            _pass_over(events)
    if charts is None:
        raise _refusal("has no entries")
    return charts


def _entries(events: Events) -> dict[str, tuple[ChartVersion, ...]]:
    charts: dict[str, tuple[ChartVersion, ...]] = {}
    if not isinstance(next(events), yaml.MappingStartEvent):
        return charts
    count = 0
    for name in _keys(events):
        found: list[ChartVersion] = []
        event = next(events)
        if isinstance(event, yaml.MappingStartEvent):
            raise _refusal("holds a mapping where the versions of a chart are listed")
        while isinstance(event, yaml.SequenceStartEvent) and not isinstance(
            item := next(events), yaml.SequenceEndEvent
        ):
            version = _version(item, events)
            if version is not None:
                found.append(version)
            count += 1
            if count > MAX_VERSIONS:
                raise _refusal(f"lists more than {MAX_VERSIONS} charts")
        charts[name] = tuple(found)
    return charts


def _version(first: Any, events: Events) -> ChartVersion | None:
    """One version; None where it lacks what it takes to fetch it."""
    if not isinstance(first, yaml.MappingStartEvent):
        _pass_over(events, first)
        return None
    texts: dict[str, str] = {}
    for key in _keys(events):
        value = next(events)
        if key in _KEPT and isinstance(value, yaml.ScalarEvent):
            texts[key] = value.value
        elif key == "urls" and isinstance(value, yaml.SequenceStartEvent):
            texts["url"] = _first_text(events)
        else:
            _pass_over(events, value)
    version, url = texts.get("version", ""), texts.get("url", "")
    digest = texts.get("digest", "").removeprefix("sha256:").lower()
    if not version or not url or max(len(version), len(url), len(digest)) > _MAX_TEXT:
        return None
    return ChartVersion(version, url, digest)


def _first_text(events: Events) -> str:
    """The first scalar of a sequence, which is read to its end."""
    found = ""
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        if isinstance(event, yaml.ScalarEvent):
            found = found or event.value
        else:
            _pass_over(events, event)
    return found


def _keys(events: Events) -> Iterator[str]:
    """The keys of a mapping; whoever asks for the next has read the value of the last."""
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise _refusal(f"has a key that is no text{_line(event)}")
        yield event.value


def _pass_over(events: Events, first: Any = None) -> None:
    """Read one node, `first` being its first event where that was read, and forget it."""
    depth = 0
    event = first if first is not None else next(events)
    while True:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if not depth:
            return
        event = next(events)


def _line(event: Any) -> str:
    return f" (line {event.start_mark.line + 1})" if event.start_mark else ""


def _refusal(fault: str) -> SourceError:
    remedy = "make it anew with `helm repo index`"
    return SourceError(Problem(f"index.yaml {fault}", reason="IndexRefused", remedy=remedy, retry=True))
