"""Jsonnet files, evaluated in a confined process each: they read the materialised tree and nothing else.

The renderer calls `evaluate` for a file of a plain folder; JSON documents or a problem come back. The library is
go-jsonnet, without which every evaluation says that it is not installed.
"""

import json
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from trimtab.adapters.process.runner import ProcessFailed, ProcessResult, run
from trimtab.adapters.process.tree import Tree
from trimtab.api.directory import JsonnetSpec, JsonnetVariable
from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.jsonnet_errors import failure, is_missing_import

VERSION: Final = "0.22"
"""The version of go-jsonnet that the project is tested with."""
TIMEOUT_SECONDS: Final = 30.0
OUTPUT_BYTES: Final = 64 * 1024 * 1024
MEMORY_BYTES: Final = 768 * 1024 * 1024
_PROGRAM: Final = Path(__file__).with_name("jsonnet_program.py")
_LIBRARY: Final = "_gojsonnet"


class ImportMissing(RenderError):
    """A file imports one that is not in the tree."""


async def evaluate(tree: Tree, file: str, spec: JsonnetSpec, *, scratch: Path | None) -> bytes:
    """The documents of a file, as JSON with lines of --- between them. Raises RenderError, ImportMissing."""
    library = find_spec(_LIBRARY)
    if library is None or library.origin is None:
        raise RenderError(_problem("go-jsonnet is not installed", file, "install the Python package gojsonnet"))
    with TemporaryDirectory(dir=scratch, prefix="trimtab-jsonnet-") as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps(_job(tree, file, spec, library.origin)))
        try:
            result = await _run(job, [tree.root, Path(folder), Path(library.origin)])
        except ProcessFailed as error:
            raise RenderError(_problem(str(error), file, "generate less at once")) from error
    if result.code < 0:
        message = f"jsonnet was killed by signal {-result.code}"
        raise RenderError(_problem(message, file, "generate less at once: it may have run out of memory"))
    if result.code:
        kind = ImportMissing if is_missing_import(result.stderr) else RenderError
        raise kind(failure(result.stderr, file, tree.files))
    return result.stdout


def _job(tree: Tree, file: str, spec: JsonnetSpec, library: str) -> dict[str, Any]:
    return {
        "library": library,
        "root": str(tree.root),
        "file": file,
        "libs": list(spec.libs),
        "strings": {"ext": _named(spec.ext_vars, code=False), "tla": _named(spec.tlas, code=False)},
        "codes": {"ext": _named(spec.ext_vars, code=True), "tla": _named(spec.tlas, code=True)},
    }


def _named(variables: tuple[JsonnetVariable, ...], *, code: bool) -> dict[str, str]:
    return {each.name: each.value for each in variables if each.code == code}


def _interpreter() -> tuple[str, tuple[Path, ...]]:
    """The interpreter itself, not that of a virtual environment, which would read more; and what it reads."""
    own = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), str(Path(sys.base_prefix) / "lib")}
    program = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    return str(program), tuple(path for each in sorted(own) if (path := Path(each)).is_dir())


_PYTHON: Final = _interpreter()


async def _run(job: Path, readable: list[Path]) -> ProcessResult:
    python, own = _PYTHON
    return await run(
        [python, "-I", "-S", str(_PROGRAM), str(job)],
        cwd=job.parent,
        readable=[*readable, _PROGRAM, *own],
        timeout_seconds=TIMEOUT_SECONDS,
        output_limit_bytes=OUTPUT_BYTES,
        memory_limit_bytes=MEMORY_BYTES,
    )


def _problem(message: str, file: str, remedy: str) -> Problem:
    return Problem(message, origin=Origin(file), remedy=remedy, reason="BuildFailed")
