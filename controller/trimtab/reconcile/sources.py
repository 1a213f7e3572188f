"""What an Application is made of at this moment: the newest artifacts of all its sources, charts taken out of indexes.

The Application's reconciler asks at every turn; what was found once is remembered until a source moves.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from trimtab.api.application import Application
from trimtab.api.source_refs import ChartRef, SourceRef
from trimtab.core.errors import SourceError
from trimtab.core.revision import Revision
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.fetches import Fetches, StillFetching
from trimtab.reconcile.index_tree import IndexTree
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.ports.downloads import Chart, ChartRepositories
from trimtab.reconcile.queue import Key
from trimtab.source.url import server_of

_Wanted = tuple[str, SourceRef, ChartRef | None]
_Basis = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """All sources of an Application; `others` are the further ones by name, `seen` is what `moved` compares with."""

    main: Artifact
    others: Mapping[str, Artifact]
    seen: tuple[Artifact | None, ...]

    @property
    def trees(self) -> dict[str, SourceTree]:
        """The trees of the further sources, by name."""
        return {name: artifact.tree for name, artifact in self.others.items()}


@dataclass(slots=True)
class Sources:
    """One per process."""

    artifacts: Artifacts
    charts: ChartRepositories | None = None
    fetches: Fetches | None = None
    """Fetches charts beside the loop; without it `get` waits for them."""
    _chosen: dict[tuple[Key, str], tuple[_Basis, Artifact]] = field(default_factory=dict)
    _failed: dict[tuple[Key, str], tuple[tuple[Hashable, ...], SourceError]] = field(default_factory=dict)
    _asked: dict[Key, tuple[int, str]] = field(default_factory=dict)

    def missing(self, key: Key, application: Application) -> Key | None:
        """The first source of which no artifact is at hand yet; None where all are there."""
        keys = (source_key(key, ref) for _, ref, _ in _wanted(application))
        return next((each for each in keys if self.artifacts.get(each) is None), None)

    async def get(self, key: Key, application: Application, *, again: bool = False) -> Bundle:
        """All of them, none of which may be missing. Raises SourceError where a chart cannot be had, StillFetching
        where one is on its way.

        `again`: what did not work the last time is tried once more instead of being said again.
        """
        seen = self._seen(key, application)
        turn = _Turn(key, (application.metadata.generation, application.metadata.requested_at), again=again)
        if self.fetches is not None and self._asked.get(key) != turn.asked:
            self._asked[key] = turn.asked
            self.fetches.try_again(key)
        found: dict[str, Artifact] = {}
        for (name, _, chart), artifact in zip(_wanted(application), seen, strict=True):
            assert artifact is not None
            found[name] = await self._taken(turn, name, artifact, chart)
        return Bundle(found.pop(""), found, seen)

    def moved(self, key: Key, application: Application, bundle: Bundle) -> bool:
        """Whether a source has another artifact by now, or the Application other sources."""
        return self._seen(key, application) != bundle.seen

    def trees(self, key: Key, application: Application) -> dict[str, SourceTree] | None:
        """The trees of the newest artifacts by name; None where one is missing. An index stands for its charts."""
        names = (name for name, _, _ in _wanted(application))
        found = {name: each.tree for name, each in zip(names, self._seen(key, application), strict=True) if each}
        return found if len(found) == len(_wanted(application)) else None

    def forget(self, key: Key) -> None:
        """The Application is gone."""
        for kept in (self._chosen, self._failed):
            for each in [each for each in kept if each[0] == key]:
                del kept[each]
        self._asked.pop(key, None)
        if self.fetches is not None:
            self.fetches.forget(key)

    def _seen(self, key: Key, application: Application) -> tuple[Artifact | None, ...]:
        return tuple(self.artifacts.get(source_key(key, ref)) for _, ref, _ in _wanted(application))

    async def _taken(self, turn: "_Turn", name: str, artifact: Artifact, chart: ChartRef | None) -> Artifact:
        """The artifact itself, or the chart out of its index; healing asks each time, so that it is remembered."""
        index, place = artifact.tree, (turn.key, name)
        if chart is None or not isinstance(index, IndexTree) or self.charts is None:
            return artifact
        wanted = _basis(index, chart)
        known = self._chosen.get(place)
        if known is not None and known[0] == wanted:
            return known[1]
        order = (*wanted, index.access, index.timeout_seconds)
        mark = (*order, *turn.asked)
        failed = self._failed.get(place)
        if failed is not None and failed[0] == mark and not turn.again:
            raise failed[1]
        try:
            found = await self._fetched(turn.key, order, index, chart)
        except StillFetching:
            raise
        except SourceError as error:
            self._failed[place] = (mark, error)
            raise
        self._failed.pop(place, None)
        revision = Revision(found.version, found.digest.removeprefix("sha256:"))
        if known is not None and known[1].revision == revision and known[1].tree.identity == found.tree.identity:
            taken = replace(known[1], signed_by=found.signed_by)
        else:
            taken = replace(
                artifact, tree=found.tree, revision=revision, digest=found.digest, signed_by=found.signed_by
            )
        self._chosen[place] = (wanted, taken)
        return taken

    async def _fetched(self, key: Key, order: _Basis, index: IndexTree, chart: ChartRef) -> Chart:
        assert self.charts is not None
        fetch = partial(
            self.charts.chart,
            index.found,
            index.access,
            name=chart.name,
            version=chart.version,
            timeout_seconds=index.timeout_seconds,
            keys=index.keys,
        )
        if self.fetches is None:
            return await fetch()
        found: Chart | SourceError | None = self.fetches.ask(key, order, server_of(index.identity), fetch)
        if found is None:
            raise StillFetching(f"chart {chart.name} {order[2]}")
        if isinstance(found, SourceError):
            raise found
        return found


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whose turn it is; `asked` changes with the spec and with each poke."""

    key: Key
    asked: tuple[int, str]
    again: bool


def _basis(index: IndexTree, chart: ChartRef) -> _Basis:
    """What a chart is made of: with equal ones the same comes of it. Raises SourceError where none is listed.

    Another index may list the same chart: only without its digest there is no telling.
    """
    chosen = index.found.index.choose(chart.name, chart.version)
    content = chosen.digest or f"{index.found.digest} {chosen.url}"
    return (
        index.identity,
        chart.name,
        chosen.version,
        content,
        index.keys.digest if index.keys else "",
    )


def source_key(key: Key, ref: SourceRef) -> Key:
    """The source of an Application, which is of its namespace."""
    return Key(ref.kind, key.namespace, ref.name)


def names_of(key: Key, application: Application, source: Key) -> frozenset[str]:
    """What an Application calls a source: a name for each use of it, the empty one where it is the first."""
    return frozenset(name for name, ref, _ in _wanted(application) if source_key(key, ref) == source)


def source_keys(key: Key, application: Application) -> Iterator[Key]:
    """All sources of an Application."""
    return (source_key(key, ref) for _, ref, _ in _wanted(application))


def _wanted(application: Application) -> list[_Wanted]:
    spec = application.spec
    further: list[_Wanted] = [(each.name, each.source_ref, each.chart) for each in spec.sources]
    return [("", spec.source_ref, spec.chart), *further]
