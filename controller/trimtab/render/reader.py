"""One YAML document, from bytes to a JSON-like value with line numbers, as kubectl reads it.

libyaml's events flow in, plain dicts, lists and scalars flow out; no node tree is built in between, so that an 800 KB
CRD costs a tenth of a second. `documents` calls it for every document. Aliases are copied, and what they add is counted
before it is copied; a duplicate key is a fault here, though kubectl keeps the last one.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from sys import intern
from typing import Any, Final

import yaml
from yaml._yaml import CParser

from trimtab.render.limits import Limits
from trimtab.render.scalars import ScalarError, key_text, resolve, resolve_tagged

TOO_MANY_VALUES: Final = "more values, with all read before, than fit into memory"
NODE_BYTES: Final = 64
"""What an expanded node counts beside its text, roughly what it costs in memory."""
SHORT_CHARACTERS: Final = 32

_MERGE: Final = "<<"
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_STRING_TAG: Final = "tag:yaml.org,2002:str"
_NO_KEY: Final = object()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in the text: what, and in which line of it (from 1)."""

    message: str
    line: int
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document: its value, the line where it begins, and the lines of a List's items (empty where there are none).

    Lines count from 1 within the text given. Faults make the value worthless.
    """

    value: Any
    line: int
    item_lines: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, message: str, line: int, remedy: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(message, line, remedy)


@dataclass(slots=True)
class _Frame:
    """An open mapping or sequence."""

    container: Any
    line: int
    anchor: str | None
    weight: int
    key: Any = _NO_KEY
    merging: bool = False
    explicit: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    weight: int


class ValueBudget:
    """What values may still take, shared by all files that are read together."""

    def __init__(self, limits: Limits) -> None:
        self.left_bytes = limits.value_bytes

    def spend(self, weight: int, line: int) -> Fault | None:
        """Take so much of it; a fault where that is more than there is."""
        self.left_bytes -= weight
        return Fault(TOO_MANY_VALUES, line, "split the Application") if self.left_bytes < 0 else None


class AliasBudget:
    """What aliases may still add to a file, shared by its documents; and what all values may still take."""

    def __init__(self, limits: Limits, values: ValueBudget | None = None) -> None:
        self.left_bytes = limits.alias_bytes
        self.values = values or ValueBudget(limits)


def read_document(text: bytes, *, limits: Limits, budget: AliasBudget) -> Parsed | None:
    """Read a text of one document; None where it holds none (blank, comments only).

    Every fault of the text that does not stop the reading is returned, not just the first.
    """
    composer = _Composer(text, limits, budget)
    try:
        parsed = composer.run()
        budget.values.left_bytes -= composer.weight
        return parsed
    except _Stop as stop:
        return Parsed(None, composer.line or stop.fault.line, faults=(*composer.faults, stop.fault))
    except yaml.YAMLError as error:
        fault = _syntax_fault(error, text)
        return Parsed(None, composer.line or fault.line, faults=(*composer.faults, fault))


class _Composer:
    """Turns events into values. One instance reads one text."""

    def __init__(self, text: bytes, limits: Limits, budget: AliasBudget) -> None:
        self.parser = CParser(text)
        self.limits = limits
        self.budget = budget
        self.faults: list[Fault] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Anchored | None] = {}
        self.weight = 0
        self.most = budget.values.left_bytes
        self.line = 0
        self.value: Any = None
        self.item_lines: list[int] = []

    def run(self) -> Parsed | None:
        next_event = self.parser.get_event
        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start_mapping,
            yaml.SequenceStartEvent: self._start_sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._start_document,
        }
        documents = 0
        while (event := next_event()) is not None:
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                documents += 1
            handler = handlers.get(kind)
            if handler is not None:
                handler(event)
        if not documents:
            return None
        return Parsed(self.value, self.line, tuple(self.item_lines), tuple(self.faults))

    def _start_document(self, event: Any) -> None:
        if self.line:
            raise _Stop(
                "a second document without a separator, which kubectl would drop",
                event.start_mark.line + 1,
                "put a line of --- before it",
            )

    def _scalar(self, event: Any) -> None:
        text = event.value
        tag = event.tag
        plain = event.implicit[0]
        self.weight += NODE_BYTES + len(text)
        if self.weight > self.most:
            raise self._too_much(event)
        if not self.line:
            self.line = event.start_mark.line + 1
        frame = self.stack[-1] if self.stack else None
        wants_key = frame is not None and frame.key is _NO_KEY and type(frame.container) is dict
        if wants_key and text == _MERGE and ((plain and tag is None) or tag == _MERGE_TAG):
            assert frame is not None
            frame.key, frame.merging = _MERGE, True
            return
        key = text
        try:
            value = self._resolve(text, tag, plain=plain)
            if wants_key and value is not text:
                key = key_text(value, text)
        except ScalarError as error:
            self._fault(str(error), event)
            value = text
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(value, NODE_BYTES + len(text))
        if wants_key:
            self._key(key, text, event)
        else:
            # Keys and words like "string" stand in definitions thousands of times: kept once, all takes a third less.
            short = type(value) is str and len(value) <= SHORT_CHARACTERS
            self._place(intern(value) if short else value, event)

    @staticmethod
    def _resolve(text: str, tag: str | None, *, plain: bool) -> Any:
        if tag is None:
            return resolve(text) if plain else text
        return text if tag == _STRING_TAG else resolve_tagged(tag, text)

    def _key(self, key: str, text: str, event: Any) -> None:
        frame = self.stack[-1]
        if key in frame.explicit:
            reading = "" if key == text else f", which reads as {key!r}"
            self._fault(f"duplicate key {text!r}{reading}", event, "keep one of them")
        frame.explicit.add(key)
        frame.key = intern(key)

    def _place(self, value: Any, event: Any) -> None:
        if not self.stack:
            self.value = value
            return
        frame = self.stack[-1]
        if type(frame.container) is list:
            frame.container.append(value)
        elif frame.key is _NO_KEY:
            self._fault("a mapping or sequence as a key", event, "use a string")
            frame.key = ""
        elif frame.merging:
            self._merge(frame, value, event)
            frame.key, frame.merging = _NO_KEY, False
        else:
            frame.container[frame.key] = value
            frame.key = _NO_KEY

    def _merge(self, frame: _Frame, value: Any, event: Any) -> None:
        """Merge in place, later over earlier, as go-yaml does; of a sequence the first mapping wins."""
        is_alias = type(event) is yaml.AliasEvent
        sources = [value] if type(value) is dict else value
        if type(sources) is not list or (is_alias and sources is value) or any(type(s) is not dict for s in sources):
            self._fault("<< takes a mapping or a sequence of mappings", event)
            return
        for source in reversed(sources):
            frame.container.update(source)

    def _start_mapping(self, event: Any) -> None:
        self._open({}, event)

    def _start_sequence(self, event: Any) -> None:
        self._open([], event)

    def _open(self, container: Any, event: Any) -> None:
        line = event.start_mark.line + 1
        if not self.line:
            self.line = line
        if len(self.stack) == 2 and self.stack[0].key == "items" and type(self.stack[1].container) is list:
            self.item_lines.append(line)
        if len(self.stack) >= self.limits.depth:
            raise _Stop(f"nested deeper than {self.limits.depth} levels", line)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.weight += NODE_BYTES
        if self.weight > self.most:
            raise self._too_much(event)
        self.stack.append(_Frame(container, line, event.anchor, self.weight - NODE_BYTES))

    def _end(self, event: Any) -> None:
        frame = self.stack.pop()
        if frame.anchor is not None:
            self.anchors[frame.anchor] = _Anchored(frame.container, self.weight - frame.weight)
        self._place(frame.container, event)

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if event.anchor not in self.anchors:
            raise _Stop(f"unknown anchor {event.anchor!r}", line, "define it before its use, in the same document")
        anchored = self.anchors[event.anchor]
        if anchored is None:
            raise _Stop(f"anchor {event.anchor!r} contains itself", line)
        self.weight += anchored.weight
        self.budget.left_bytes -= anchored.weight
        if self.budget.left_bytes < 0:
            limit = self.limits.alias_bytes
            raise _Stop(f"aliases expand to more than {limit} bytes", line, "write the values out, or generate fewer")
        value = deepcopy(anchored.value)
        frame = self.stack[-1] if self.stack else None
        if frame is None or type(frame.container) is list or frame.key is not _NO_KEY:
            self._place(value, event)
        elif type(value) in (str, bool, int):
            key = key_text(value, str(value))
            self._key(key, key, event)
        else:
            self._place(value, event)

    def _too_much(self, event: Any) -> _Stop:
        self.budget.values.left_bytes = 0
        return _Stop(TOO_MANY_VALUES, event.start_mark.line + 1, "split the Application")

    def _fault(self, message: str, event: Any, remedy: str = "") -> None:
        self.faults.append(Fault(message, event.start_mark.line + 1, remedy))


def _syntax_fault(error: yaml.YAMLError, text: bytes) -> Fault:
    """libyaml's own words without the snippet of the text, which may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.context, error.problem) if part)
        return Fault(f"not valid YAML: {words}", mark.line + 1 if mark else 1)
    position = getattr(error, "position", None) or 0
    reason = getattr(error, "reason", None) or "unreadable"
    return Fault(f"not valid YAML: {reason}", text.count(b"\n", 0, position) + 1)
