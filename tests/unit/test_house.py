"""The house rules that no linter knows: sizes, names, tests that assert, one list of pure packages in every place."""

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "controller" / "trimtab"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
PURE = {"core", "api", "source", "render", "plan", "apply", "drift", "health", "delivery", "report"}

MEDIAN_LINES = 120
MODULE_LINES = 400
FUNCTION_LINES = 60
BROAD_EXCEPTS = 6
ASSERTING = ("Assert", "raises", "assert", "expect", "check", "verify", "wait_")


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def _place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_modules_are_short():
    sizes = {_place(path): _lines(path) for path in MODULES}
    assert {name: size for name, size in sizes.items() if size > MODULE_LINES} == {}
    assert statistics.median([size for size in sizes.values() if size > 3]) <= MEDIAN_LINES


def test_functions_are_short():
    long = [
        f"{_place(path)}:{function.lineno} {function.name}"
        for path in MODULES
        for function in _functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_no_module_is_a_dumping_ground():
    dumps = re.compile(r"^(utils?|helpers?|common|misc)$")
    assert [_place(path) for path in MODULES if any(dumps.match(part) for part in path.with_suffix("").parts)] == []


def test_exceptions_are_caught_by_name():
    broad = [
        f"{_place(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]
    assert len(broad) <= BROAD_EXCEPTS, broad


def _is_broad(caught: ast.expr | None) -> bool:
    names = [name.id for name in ast.walk(caught) if isinstance(name, ast.Name)] if caught else [""]
    return any(name in {"", "Exception", "BaseException"} for name in names)


@pytest.mark.parametrize("folder", ["controller", "tests"])
def test_nothing_is_left_for_later(folder: str):
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b")
    left = [
        f"{_place(path)}:{number}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert left == []


def test_every_test_asserts_something():
    empty = [
        f"{_place(path)}:{function.lineno} {function.name}"
        for path in TESTS
        for function in _functions(path)
        if function.name.startswith("test") and not any(word in ast.dump(function) for word in ASSERTING)
    ]
    assert empty == []


def test_the_pure_packages_are_the_same_everywhere(project: dict[str, Any]):
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    begun = {name for name in PURE if (PACKAGE / name).is_dir()}
    assert {name.removeprefix("trimtab.") for name in contracts["pure"]["source_modules"]} == begun

    measured = {line.split("/")[2] for line in project["tool"]["coverage"]["report"]["include"]}
    assert measured == PURE

    exempt = " ".join(project["tool"]["ruff"]["lint"]["per-file-ignores"])
    assert [name for name in PURE if re.search(rf"trimtab/(\S*[{{,])?{name}[,}}/]", exempt)] == []


def test_links_between_the_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{_place(page)} -> {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_lock_names_no_index():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if "://" in line or "index" in line.split("==")[0].lower()] == []
    assert sum("--hash=sha256:" in line for line in lines) > 100
