"""helm template over a chart, confined to reading it: no network, no plugins, no repositories, no cluster.

The chart stage calls `template` with helm's arguments and the values, which helm reads from a pipe.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trimtab.adapters.process.kustomize import Bounds
from trimtab.adapters.process.runner import ProcessFailed, ProcessResult, run
from trimtab.core.errors import Problem, RenderError
from trimtab.core.manifest import Origin
from trimtab.render.helm_command import ENVIRONMENT

VERSION: Final = "v3.21.4"
"""The version that the project is tested with."""


class Helm:
    """The helm program. `program` None means that there is none, which every chart then says."""

    def __init__(self, program: Path | None, bounds: Bounds) -> None:
        self._program = program.resolve() if program else None
        self._bounds = bounds

    async def template(
        self, arguments: Sequence[str], values: bytes, *, root: Path, readable: Sequence[Path], chart_file: str
    ) -> ProcessResult:
        """Run helm in `root`; how it ended, well or with an error of its own. Raises RenderError where it could not."""
        if self._program is None or not self._program.is_file():
            raise RenderError(_problem("helm is not installed", chart_file, "install it beside the controller"))
        try:
            result = await run(
                [str(self._program), *arguments],
                cwd=root,
                readable=readable,
                timeout_seconds=self._bounds.timeout_seconds,
                output_limit_bytes=self._bounds.output_bytes,
                memory_limit_bytes=self._bounds.memory_bytes,
                environment=ENVIRONMENT,
                stdin=values,
            )
        except ProcessFailed as error:
            raise RenderError(_problem(str(error), chart_file, "render less at once")) from error
        if result.code < 0:
            message = f"helm was killed by signal {-result.code}"
            raise RenderError(_problem(message, chart_file, "render less at once: it may have run out of memory"))
        return result


def _problem(message: str, file: str, remedy: str) -> Problem:
    return Problem(message, origin=Origin(file), remedy=remedy, reason="BuildFailed")
