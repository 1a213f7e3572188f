# The sandbox lets only this file's own few modules be read, and it must start fast:
# ruff: noqa: PTH113, PTH118, PTH123
"""Evaluates one Jsonnet file. Run as a file, never imported: `python -I -S jsonnet_program.py JOB`.

JOB is a JSON file {library, root, file, libs, strings: {ext, tla}, codes: {ext, tla}}. Documents come out on standard
output, as JSON with lines of --- between them; what is wrong comes out on standard error, with exit code 1. Imports
are looked for beside the importing file, then in `libs`, and nowhere outside of `root`.
"""

import json
import os
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from typing import Any

MISSING = "trimtab: no such import: "
OUTSIDE = "trimtab: an import leaves the repository: "
_MAX_STACK = 500


def _library(path: str) -> Any:
    loader = ExtensionFileLoader("_gojsonnet", path)
    spec = spec_from_loader("_gojsonnet", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


class Importer:
    """Finds imports below a root. Its texts tell nothing of what is outside.

    It never raises, for the library's words about that are garbled now and then: what is imported is an error instead,
    and `refused` holds why.
    """

    def __init__(self, root: str, libs: list[str]) -> None:
        self._root = os.path.realpath(root)
        self._libs = libs
        self.refused: list[str] = []

    def __call__(self, folder: str, name: str) -> tuple[str, bytes]:
        """The path and content of an import; the library asks once for each."""
        for base in (folder, *self._libs):
            path = os.path.normpath(os.path.join(base, name))
            real = os.path.realpath(os.path.join(self._root, path))
            if name.startswith("/") or os.path.commonpath([real, self._root]) != self._root:
                return self._refuse(OUTSIDE + name)
            if os.path.isfile(real):
                with open(real, "rb") as file:
                    return path, file.read()
        return self._refuse(MISSING + name)

    def _refuse(self, why: str) -> tuple[str, bytes]:
        self.refused.append(why)
        return f"refused import {len(self.refused)}", f"error {json.dumps(why)}".encode()


def main(job_file: str) -> int:
    """Evaluate; 0 where it went well."""
    with open(job_file, encoding="utf-8") as file:
        job = json.load(file)
    importer = Importer(job["root"], job["libs"])
    try:
        _, source = importer("", job["file"])
        result = _library(job["library"]).evaluate_snippet(
            job["file"],
            source.decode(),
            import_callback=importer,
            max_stack=_MAX_STACK,
            ext_vars=job["strings"]["ext"],
            ext_codes=job["codes"]["ext"],
            tla_vars=job["strings"]["tla"],
            tla_codes=job["codes"]["tla"],
        )
    except (RuntimeError, UnicodeDecodeError) as error:
        sys.stderr.write("\n".join([*importer.refused[:1], str(error)]))
        return 1
    if importer.refused:
        sys.stderr.write(importer.refused[0])
        return 1
    value = json.loads(result)
    documents = value if isinstance(value, list) else [value]
    sys.stdout.write("\n---\n".join(json.dumps(each) for each in documents))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
