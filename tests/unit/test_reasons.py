"""Every reason that conditions, Events and problems can name is explained on one page, and no other is."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from trimtab.health.status import HealthStatus
from trimtab.report.application import Phase
from trimtab.report.events import Reason

PACKAGE = Path("controller/trimtab")
PAGE = Path("docs/reasons.md")
_CELL = re.compile(r"^\| (`[A-Za-z]+`(?:, `[A-Za-z]+`)*) \|", re.MULTILINE)
_REFUSALS = {"_reason_and_remedy", "_by_status", "_not_found"}
"""Functions that answer with a reason and a remedy."""
NOT_IN_CLUSTERS = {"Usage", "LocalCluster"}
"""Told by commands only, as errors of theirs."""


def text(node: ast.expr | None) -> Iterator[str]:
    if isinstance(node, ast.BoolOp):
        yield from text(node.values[-1])
    if isinstance(node, ast.IfExp):
        yield from (*text(node.body), *text(node.orelse))
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isalpha():
        yield node.value


def reasons(tree: ast.AST) -> Iterator[str]:
    """What is handed on as a reason: by keyword, as a default, by a constant's name, by rule, or for a condition."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="reason", value=value):
                yield from text(value)
            case ast.arguments():
                named = zip(node.kwonlyargs, node.kw_defaults, strict=True)
                yield from chain.from_iterable(text(value) for each, value in named if each.arg == "reason")
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if "REASON" in name:
                yield from text(value)
            case ast.AnnAssign(target=ast.Name(id="_PHRASES"), value=ast.Tuple(elts=rows)):
                yield from chain.from_iterable(text(row.elts[1]) for row in rows if isinstance(row, ast.Tuple))
            case ast.Call(func=ast.Name(id="_rule"), args=[_, value, *_]):
                yield from text(value)
            case ast.Call(func=ast.Name(id="true" | "false" | "unknown" | "Said"), args=[_, *values]):
                yield from chain.from_iterable(map(text, values[:-1]))
            case ast.Call(func=ast.Name(id="progressing" | "failing"), args=[value, *_]):
                yield from text(value)
            case ast.Call(func=ast.Attribute(attr="_fail") | ast.Name(id="_error"), args=[_, value, *_]):
                yield from text(value)
            case ast.FunctionDef(name=name) if name in _REFUSALS:
                returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return))
                yield from chain.from_iterable(text(each.elts[0]) for each in returned if isinstance(each, ast.Tuple))
            case ast.Tuple(elts=[ast.Constant(value="TransferFailed"), *_]):
                yield "TransferFailed"


def test_all_reasons_are_explained_and_no_others():
    trees = (ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py"))
    said = {*chain.from_iterable(map(reasons, trees)), *Phase, *HealthStatus, *Reason} - NOT_IN_CLUSTERS
    cells = _CELL.findall(PAGE.read_text())
    explained = [name.strip("`") for cell in cells for name in cell.split(", ")]
    assert sorted(said - set(explained)) == [], "reasons without a row"
    assert sorted(set(explained) - said) == [], "rows without a reason"
    assert len(explained) == len(set(explained)), "one row for each"
