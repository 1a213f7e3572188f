"""What happens to every object between build and checks: substitution, then common metadata.

The renderer's adapter makes one `Shaping` for each rendering and hands it to the readers of files and of outputs.
"""

from hashlib import sha256
from typing import Any

from trimtab.api.application import ApplicationSpec
from trimtab.api.post_build import SubstituteStrategy
from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.render.common_metadata import with_common_metadata
from trimtab.render.inputs import RenderInputs
from trimtab.render.limits import Limits
from trimtab.render.source_lines import ReadSource
from trimtab.render.substitution import Substitution
from trimtab.render.variables import variables


class Shaping:
    """A `Shaper` for the objects of one Application."""

    def __init__(self, spec: ApplicationSpec, inputs: RenderInputs, *, limits: Limits, read_source: ReadSource) -> None:
        """Raises RenderError where variables cannot be had."""
        self._substitution = _substitution(spec, inputs, limits, read_source)
        self._common = spec.kustomize.common_metadata if spec.kustomize else None

    def shape(self, body: dict[str, Any], origin: Origin) -> tuple[dict[str, Any], tuple[Problem, ...]]:
        """The object as it shall be, and what keeps it from being so."""
        problems: tuple[Problem, ...] = ()
        if self._substitution is not None:
            body, problems = self._substitution.shape(body, origin)
        return (with_common_metadata(body, self._common) if self._common else body), problems

    def masked(self, problem: Problem) -> Problem:
        """The problem without values that came from Secrets."""
        return self._substitution.masked(problem) if self._substitution is not None else problem


class Provisional:
    """A `Shaper` for a look at files before they are built: names that hold variables get stand-ins.

    Nothing of what it makes is used; equal names stay equal, others different.
    """

    def shape(self, body: dict[str, Any], _origin: Origin) -> tuple[dict[str, Any], tuple[Problem, ...]]:
        """The object with stand-ins."""
        named = dict(body)
        for key in ("apiVersion", "kind"):
            if key in named:
                named[key] = _stand_in(named[key])
        metadata = body.get("metadata")
        if isinstance(metadata, dict):
            named["metadata"] = {key: _stand_in(value) for key, value in metadata.items()}
        return named, ()

    def masked(self, problem: Problem) -> Problem:
        """The problem as it is: it shows what stands in Git."""
        return problem


def _stand_in(value: Any) -> Any:
    return f"x{sha256(value.encode()).hexdigest()[:20]}" if isinstance(value, str) and "$" in value else value


def _substitution(
    spec: ApplicationSpec, inputs: RenderInputs, limits: Limits, read_source: ReadSource
) -> Substitution | None:
    post_build = spec.post_build
    if post_build is None:
        return None
    known = variables(post_build, inputs)
    if not known.values and post_build.substitute_strategy is SubstituteStrategy.WITH_VARIABLES:
        return None
    return Substitution(known, strict=post_build.strict, limits=limits, read_source=read_source)
