"""Why a kustomize build failed, by reading what it was given: all broken files with their lines, not only the first.

The renderer's adapter calls it after a failure; where it finds nothing, kustomize's own words are told.
"""

from collections.abc import Callable
from typing import Final

from trimtab.core.errors import Problem
from trimtab.render.closure import Closure
from trimtab.render.folder import read_files
from trimtab.render.limits import Limits

_READ: Final = (".yaml", ".yml", ".json")


def diagnose(found: Closure, find: Callable[[str], bytes | None], *, limits: Limits) -> tuple[Problem, ...]:
    """Problems of the files that the closure's kustomizations list as resources; empty where all read well."""
    files = sorted(
        {
            reference.path
            for kustomization in found.kustomizations.values()
            for reference in kustomization.references
            if reference.folder and reference.path.endswith(_READ) and find(reference.path) is not None
        }
    )
    return read_files(files, lambda file: find(file) or b"", limits=limits).problems
