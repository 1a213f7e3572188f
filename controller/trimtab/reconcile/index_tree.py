"""An index of charts in the place of a tree: it has no files of its own, charts are chosen out of it.

`helm_origin` makes one for each index, `sources` takes charts out of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports.downloads import Access, FetchedIndex
from trimtab.source.tree_budget import TreeBudget
from trimtab.source.trusted_keys import TrustedKeys


@dataclass(frozen=True, slots=True)
class IndexTree:
    """What it takes to fetch a chart that an index lists; `keys` are those of its provenance, if one is asked for."""

    found: FetchedIndex
    access: Access
    timeout_seconds: float
    keys: TrustedKeys | None = None

    @property
    def identity(self) -> str:
        """The URL."""
        return self.found.url

    @property
    def revision(self) -> str:
        """The index's digest, and which keys count."""
        return f"{self.found.digest}/{self.keys.digest}" if self.keys else self.found.digest

    async def digest(self, path: str) -> str:
        """Raises SourceError."""
        raise _no_files(path)

    async def look_up(self, paths: Collection[str]) -> None:
        """It has no folders."""

    async def materialise(
        self,
        paths: Sequence[str],
        target: Path,  # noqa: ARG002 - there is nothing to write
        *,
        budget: TreeBudget | None = None,  # noqa: ARG002
    ) -> None:
        """Raises SourceError."""
        raise _no_files(",".join(paths))


def _no_files(path: str) -> SourceError:
    message = f"a HelmRepository has charts and no folders, such as {path or '.'}"
    return SourceError(Problem(message, reason="ChartMissing", remedy="name one of its charts in spec.chart"))
