"""Remote bases in a materialised tree: fetched as the closure asks for them, each in a place beside the source.

The renderer makes one for each job. Where they lie is named after the source's revision, so that no commit can hold
something at that place already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from trimtab.core.errors import RenderError, SourceError
from trimtab.core.manifest import Origin
from trimtab.reconcile.fetches import StillFetching
from trimtab.reconcile.ports import Folder, RenderJob
from trimtab.render.closure import Closure
from trimtab.render.layout import inner_path, within
from trimtab.render.remote_places import NOWHERE, RemoteNames, RemotePlaces, file_names
from trimtab.source.remote_base import RemoteBase
from trimtab.source.tree_budget import TreeBudget

_PATH_NOT_FOUND = "PathNotFound"


@dataclass(slots=True)
class RemoteBasesOfJob:
    """Those of one job. Nothing but what is asked for is written, and nothing twice."""

    job: RenderJob
    places: RemotePlaces = field(init=False)
    _names: dict[str, str] = field(default_factory=dict)
    _bases: dict[str, RemoteBase] = field(default_factory=dict)
    _written: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.places = NOWHERE
        if self.job.bases is not None:
            revision = sha256(f"{self.job.tree.identity} {self.job.tree.revision}".encode()).hexdigest()
            self.places = RemotePlaces(f".bases-{revision[:24]}", self.job.bases.prefixes, self.job.bases.field)

    @property
    def names(self) -> RemoteNames:
        """What the bases fetched so far are called."""
        return RemoteNames(self._names, self._bases)

    async def write(self, found: Closure, root: Path, budget: TreeBudget) -> bool:
        """Write what a closure wants of remote bases below the tree's `root`; whether there was anything to write.

        Raises SourceError with the file and line that names the base, RenderError with the closure's problems beside,
        StillFetching where one is on its way.
        """
        wanting = [folder for folder in found.remote if not any(within(folder, one) for one in self._written)]
        awaited: list[StillFetching] = []
        for folder in wanting:
            place = self.places.root_of(folder)
            try:
                await self._write(found.bases[place], place, folder, root, budget)
            except StillFetching as error:
                # The others are asked for meanwhile.
                awaited.append(error)
                continue
            except SourceError as error:
                origin = _named_at(found, place)
                told = self.names.problems(replace(each, origin=origin) for each in error.problems)
                raise (
                    RenderError(*self.names.problems(found.problems), *told) if found.problems else SourceError(*told)
                ) from None
            self._written.add(folder)
        if awaited:
            what = ", ".join(dict.fromkeys(each.what for each in awaited))
            raise StillFetching(what, anew=all(each.anew for each in awaited))
        return bool(wanting)

    async def write_all(self, found: Closure, root: Path, budget: TreeBudget) -> None:
        """Write all files of the bases. Raises SourceError."""
        for place, base in found.bases.items():
            await self._write(base, place, place, root, budget)
            self._written.add(place)

    async def _write(self, base: RemoteBase, place: str, folder: str, root: Path, budget: TreeBudget) -> None:
        assert self.job.bases is not None
        at_hand = await self.job.bases.fetch(base)
        self._names[place], self._bases[place] = file_names(base, at_hand.revision), base
        (root / place).mkdir(parents=True, exist_ok=True)
        try:
            await at_hand.tree.materialise([inner_path(folder, place)], root / place, budget=budget)
        except SourceError as error:
            # A folder that does not exist is told where it is referred to.
            if error.reason != _PATH_NOT_FOUND:
                raise

    def read(self, found: Closure) -> tuple[Folder, ...]:
        """The folders of bases that a closure has read."""
        places = ((folder, self.places.root_of(folder)) for folder in found.remote)
        return tuple((found.bases[place].name, inner_path(folder, place)) for folder, place in places)


def _named_at(found: Closure, place: str) -> Origin | None:
    """Where a base is named first."""
    named: Mapping[str, Origin] = {
        one.file: Origin(one.file, reference.line)
        for one in found.kustomizations.values()
        for reference in reversed(one.references)
        if reference.base is not None and within(reference.path, place)
    }
    return next(iter(named.values()), None)
