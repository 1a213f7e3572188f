"""The port `Renderer` with a stopwatch: every rendering is counted by its result, whoever asks for it.

Wiring puts it around the renderer that does the work.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trimtab.core.errors import TrimtabError
from trimtab.reconcile.ports import Clock, Metrics, Rendered, Renderer, RenderJob

_RENDERED = "rendered"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRenderer:
    """Hands every job on."""

    renderer: Renderer
    clock: Clock
    metrics: Metrics

    @property
    def tools(self) -> Mapping[str, str]:
        """Those of the renderer."""
        return self.renderer.tools

    async def render(self, job: RenderJob) -> Rendered:
        """Carry out a job; raises as the renderer does."""
        started = self.clock.monotonic()
        try:
            rendered = await self.renderer.render(job)
        except TrimtabError as error:
            self.metrics.rendered(error.reason, self.clock.monotonic() - started)
            raise
        self.metrics.rendered(_RENDERED, self.clock.monotonic() - started)
        return rendered
