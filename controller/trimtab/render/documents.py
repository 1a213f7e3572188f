"""A file's bytes, cut into documents and read: YAML or JSON, one or many, as kubectl takes them apart.

The folder reader and the reader of kustomize's output call `read_file`; it returns documents and problems, never
raises. A `Memo` lets unchanged documents skip the parser.
"""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from re import MULTILINE
from re import compile as pattern
from typing import Any, Final, Protocol

import orjson

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.render.json_text import read_json, weight_of
from trimtab.render.limits import DEFAULT_LIMITS, Limits
from trimtab.render.reader import AliasBudget, Fault, Parsed, ValueBudget, read_document
from trimtab.source.lfs import pointer_of

_SEPARATOR: Final = pattern(rb"^---([^\n]*)\n?", MULTILINE)
_BLANK: Final = pattern(rb"\s*", MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A document's value, the line of the file where it begins, and the lines of the items of a List."""

    value: Any
    line: int
    item_lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file holds. Where there are problems, the documents are not all of it."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


class Memo(Protocol):
    """Remembers bytes by key; forgets as it likes."""

    def get(self, key: bytes) -> bytes | None:
        """What was kept under the key, or None."""
        ...

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value."""
        ...


@dataclass(frozen=True, slots=True)
class _Chunk:
    text: bytes
    line: int
    fault: Fault | None = None


def read_file(
    data: bytes,
    file: str,
    *,
    limits: Limits = DEFAULT_LIMITS,
    memo: Memo | None = None,
    values: ValueBudget | None = None,
) -> FileContent:
    """Read all documents of a file; empty ones are dropped. `file` is the name under which problems are told.

    `values` is what this file and others read beside it may take; the file has all for itself where it is not given.
    """
    text, fault = _utf8(data, limits)
    if fault:
        return FileContent((), (_problem(fault, file, 0),))
    documents: list[Document] = []
    problems: list[Problem] = []
    budget = AliasBudget(limits, values)
    for chunk in _chunks(text):
        if chunk.fault:
            problems.append(_problem(chunk.fault, file, 0))
        for parsed in _read(chunk.text, limits, budget, memo):
            problems += [_problem(fault, file, chunk.line) for fault in parsed.faults]
            if not parsed.faults and parsed.value is not None:
                lines = tuple(line + chunk.line for line in parsed.item_lines)
                documents.append(Document(parsed.value, parsed.line + chunk.line, lines))
        if len(documents) > limits.documents:
            problems.append(_problem(Fault(f"more than {limits.documents} documents", 0), file, 0))
            break
    return FileContent(tuple(documents), tuple(problems))


def _utf8(data: bytes, limits: Limits) -> tuple[bytes, Fault | None]:
    if len(data) > limits.file_bytes:
        return b"", Fault(f"larger than {limits.file_bytes} bytes", 0, "split the file")
    if pointer_of(data):
        remedy = "set spec.lfs to true in the GitRepository, or keep manifests out of LFS"
        return b"", Fault("a Git LFS pointer, not the file that it stands for", 1, remedy)
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode(), None
        except UnicodeDecodeError:
            return b"", Fault("not valid UTF-16", 0, "save the file as UTF-8")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return b"", Fault("not valid UTF-8", data.count(b"\n", 0, error.start) + 1, "save the file as UTF-8")
    return data, None


def _chunks(text: bytes) -> Iterator[_Chunk]:
    """Cut at lines that begin with `---`, as kubectl does before any parser looks; it also ends the last line."""
    start = line = 0
    for separator in _SEPARATOR.finditer(text):
        yield _Chunk(text[start : separator.start()], line)
        line += text.count(b"\n", start, separator.end())
        start = separator.end()
        rest = separator[1].strip()
        if rest and not rest.startswith(b"#"):
            here = line if separator[0].endswith(b"\n") else line + 1
            yield _Chunk(b"", line, Fault("text after the separator ---", here, "put it on the next line"))
    last = text[start:]
    yield _Chunk(last if last.endswith(b"\n") else last + b"\n", line)


def _read(text: bytes, limits: Limits, budget: AliasBudget, memo: Memo | None) -> list[Parsed]:
    if _BLANK.fullmatch(text):
        return []
    key = blake2b(text, digest_size=20).digest() if memo is not None else b""
    if memo is not None and (kept := memo.get(key)) is not None:
        if fault := budget.values.spend(weight_of(kept), 1):
            return [Parsed(None, 1, faults=(fault,))]
        return [Parsed(value, line, tuple(item_lines)) for value, line, item_lines in orjson.loads(kept)]
    before = budget.left_bytes
    parsed = _parse(text, limits, budget)
    expanded = budget.left_bytes != before
    if memo is not None and not expanded and not any(one.faults for one in parsed):
        memo.put(key, orjson.dumps([(one.value, one.line, one.item_lines) for one in parsed]))
    return parsed


def _parse(text: bytes, limits: Limits, budget: AliasBudget) -> list[Parsed]:
    if text.lstrip().startswith(b"{"):
        found = read_json(text, limits=limits, values=budget.values)
        if found is not None:
            return found
    one = read_document(text, limits=limits, budget=budget)
    return [one] if one else []


def _problem(fault: Fault, file: str, offset: int) -> Problem:
    line = fault.line + offset if fault.line else 0
    return Problem(fault.message, origin=Origin(file, line), remedy=fault.remedy, reason="InvalidManifest")
