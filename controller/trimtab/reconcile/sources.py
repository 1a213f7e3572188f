"""What an Application is made of at this moment: the newest artifacts of all its sources, charts taken out of indexes.

The Application's reconciler asks at every turn; what was found once is remembered until a source moves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from trimtab.api.application import Application
from trimtab.api.source_refs import ChartRef, SourceRef
from trimtab.core.revision import Revision
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.index_tree import IndexTree
from trimtab.reconcile.ports import SourceTree
from trimtab.reconcile.ports.downloads import ChartRepositories
from trimtab.reconcile.queue import Key

_Wanted = tuple[str, SourceRef, ChartRef | None]


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
    _chosen: dict[tuple[Key, str], tuple[tuple[str, ...], Artifact]] = field(default_factory=dict)

    def missing(self, key: Key, application: Application) -> Key | None:
        """The first source of which no artifact is at hand yet; None where all are there."""
        keys = (source_key(key, ref) for _, ref, _ in _wanted(application))
        return next((each for each in keys if self.artifacts.get(each) is None), None)

    async def get(self, key: Key, application: Application) -> Bundle:
        """All of them, none of which may be missing. Raises SourceError where a chart cannot be had."""
        seen = self._seen(key, application)
        found: dict[str, Artifact] = {}
        for (name, _, chart), artifact in zip(_wanted(application), seen, strict=True):
            assert artifact is not None
            found[name] = await self._taken(key, name, artifact, chart)
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
        for each in [each for each in self._chosen if each[0] == key]:
            del self._chosen[each]

    def _seen(self, key: Key, application: Application) -> tuple[Artifact | None, ...]:
        return tuple(self.artifacts.get(source_key(key, ref)) for _, ref, _ in _wanted(application))

    async def _taken(self, key: Key, name: str, artifact: Artifact, chart: ChartRef | None) -> Artifact:
        """The artifact itself, or the chart out of its index; healing asks each time, so that it is remembered."""
        index = artifact.tree
        if chart is None or not isinstance(index, IndexTree) or self.charts is None:
            return artifact
        basis = (index.identity, index.revision, chart.name, chart.version)
        known = self._chosen.get((key, name))
        if known is not None and known[0] == basis:
            return known[1]
        found = await self.charts.chart(
            index.found,
            index.access,
            name=chart.name,
            version=chart.version,
            timeout_seconds=index.timeout_seconds,
            keys=index.keys,
        )
        revision = Revision(found.version, found.digest.removeprefix("sha256:"))
        if known is not None and known[1].revision == revision and known[1].tree.identity == found.tree.identity:
            taken = known[1]
        else:
            taken = replace(
                artifact, tree=found.tree, revision=revision, digest=found.digest, signed_by=found.signed_by
            )
        self._chosen[key, name] = (basis, taken)
        return taken


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
