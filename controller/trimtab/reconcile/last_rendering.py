"""What an Application's last rendering was made of, and whether the same would come of other trees.

`desired` keeps one for each Application; digests of folders tell without rendering.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from trimtab.core.errors import SourceError
from trimtab.reconcile.ports import Folder, RenderJob, SourceTree
from trimtab.reconcile.remote_bases import BasesOfJob
from trimtab.source.base_prefixes import allowed
from trimtab.source.remote_base import RemoteBase

Attempt = tuple[tuple[tuple[str, str, str], ...], tuple[str, ...], str, str, int, str]
"""Sources with their revisions, what their files may bring in, digests of inputs and capabilities, generation and poke
of the Application: with equal ones, and remote bases that have not moved, the same comes of it."""


@dataclass(frozen=True, slots=True)
class LastRendering:
    """Of what it was made, its key, and what was read for it."""

    attempt: Attempt
    key: str
    folders: Mapping[Folder, str]
    """With the digest that each had."""
    reads_capabilities: bool
    bases: tuple[RemoteBase, ...] = ()
    """The repositories of remote bases that were read."""
    equals: frozenset[tuple[str, str, str]] = frozenset()
    """The sources as in `attempt` that came since with the same digests; of each name the newest."""

    async def means_the_same(self, tree: SourceTree, names: Collection[str]) -> bool:
        """Whether the rendering would find the same in `tree`, were it the source of these names."""
        sources, *_ = self.attempt
        if any(name in names and identity != tree.identity for name, identity, _ in sources):
            return False
        found = await digests(dict.fromkeys(names, tree), self.folders)
        return found is not None and found.items() <= self.folders.items()

    async def moved(self, stood_at: Mapping[str, str], bases: BasesOfJob | None) -> bool:
        """Whether a remote base stands elsewhere than it did. Raises SourceError where it cannot be asked."""
        if bases is None:
            return False
        for base in self.bases:
            if await bases.stands_at(base) != stood_at.get(base.name):
                return True
        return False


async def trees_of(job: RenderJob, bases: tuple[RemoteBase, ...]) -> dict[str, SourceTree] | None:
    """The sources of a job and the remote bases of a rendering, by name; None where a base is not allowed any more.

    Raises SourceError where a base cannot be had.
    """
    if not bases or job.bases is None:
        return dict(job.trees())
    if not all(allowed(base.url, job.bases.prefixes) for base in bases):
        return None
    return {**job.trees(), **{base.name: (await job.bases.fetch(base)).tree for base in bases}}


async def digests(trees: Mapping[str, SourceTree], folders: Iterable[Folder]) -> dict[Folder, str] | None:
    """The digest of each folder, by one look at each source; None where one is gone, which asks for a new rendering."""
    wanted = [(name, folder) for name, folder in folders if name in trees]
    try:
        for source, tree in trees.items():
            await tree.look_up([folder for name, folder in wanted if name == source])
        return {(name, folder): await trees[name].digest(folder) for name, folder in wanted}
    except SourceError:
        return None
