"""The submodules of a commit, as its tree and its `.gitmodules` declare them.

A Modules request flows in, path, URL as declared and commit of each flow out. Runs in a worker; nothing is fetched.
"""

from itertools import islice
from pathlib import Path
from typing import Final

from trimtab.adapters.git import store
from trimtab.adapters.git.messages import Modules
from trimtab.adapters.git.remote import run
from trimtab.adapters.git.trees import MODULE_MODE, rows
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.source.path import writable
from trimtab.source.submodules import GITMODULES

_MAX_ROWS: Final = 1_000_000
_MAX_FILE_BYTES: Final = 256 * 1024
_WANTED: Final = r"^submodule\..*\.(path|url)$"


def modules(request: Modules) -> list[list[str]]:
    """`[path, url, sha]` of each, the URL empty where none is declared. Raises SourceError."""
    with store.open_tips(Path(request.mirror), request.sha) as tips:
        found = ((path, sha) for mode, sha, path in rows(tips, request.sha, max_rows=_MAX_ROWS) if mode == MODULE_MODE)
        shas = dict(islice(found, request.max_modules + 1))
        found.close()
        if not shas:
            return []
        if len(shas) > request.max_modules or not all(map(writable, shas)):
            raise SourceError(_refusal(f"more than {request.max_modules} submodules, or one at a refused path"))
        missing, size, _ = run(tips.git, "cat_file", "-s", f"{request.sha}:{GITMODULES}")
        if not missing and int(size) > _MAX_FILE_BYTES:
            raise SourceError(_refusal(f"it is larger than {_MAX_FILE_BYTES // 1024} KiB"))
        # Read from the blob, where includes are not followed.
        blob = f"--blob={request.sha}:{GITMODULES}"
        status, output, _ = run(tips.git, "config", blob, "--no-includes", "-z", "--get-regexp", _WANTED)
    if status not in (0, 1):
        raise SourceError(_refusal("it cannot be read"))
    urls = _urls(output)
    return [[path, urls.get(path, ""), sha] for path, sha in sorted(shas.items())]


def _urls(output: str) -> dict[str, str]:
    """URLs by path."""
    settings: dict[str, dict[str, str]] = {}
    for row in output.split("\0"):
        key, _, value = row.partition("\n")
        name, _, setting = key.rpartition(".")
        settings.setdefault(name, {})[setting] = value
    return {one["path"]: one["url"] for one in settings.values() if "path" in one and "url" in one}


def _refusal(fault: str) -> Problem:
    return Problem(
        fault,
        origin=Origin(GITMODULES),
        reason="SubmoduleRefused",
        remedy="correct .gitmodules, or leave submodules out by spec.ignore",
    )
