"""Who last changed what fails: asked of the history in the background, told when it is known.

The narrator hands in problems and gets them back with what is known by now; a key is queued once more where there is
more to tell. No apply waits for it, and each place is asked about once per commit.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from trimtab.core.authorship import LastChange
from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Origin
from trimtab.reconcile.git_tree import GitTree
from trimtab.reconcile.grafted_tree import GraftedTree
from trimtab.reconcile.ports import History, SourceTree
from trimtab.reconcile.queue import Key
from trimtab.source.path import within

MAX_PLACES = 20
"""Places asked about per commit and Application; status shows 50 errors, and most stand in few files."""
_KEPT_COMMITS = 200

_Found = dict[Origin, LastChange | None]


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of a problem, in the repository that holds it."""

    tree: GitTree
    origin: Origin


class Culprits:
    """One per process. `wake` queues an Application whose status has more to tell."""

    def __init__(self, history: History, wake: Callable[[Key], None]) -> None:
        self._history = history
        self._wake = wake
        self._found: OrderedDict[tuple[str, str], _Found] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def name(self, key: Key, trees: Mapping[str, SourceTree], problems: Sequence[Problem]) -> tuple[Problem, ...]:
        """The problems with who last changed their files, as far as that is known; the rest is asked for.

        `trees` has all that the files come from by the beginning of their names, the Application's own source by the
        empty one. Files of what has no history are told with its revision.
        """
        named: list[Problem] = []
        unknown: dict[tuple[str, str], list[_Place]] = {}
        for problem in problems:
            tree, origin = _found_in(trees, problem.origin)
            place = _placed(tree, origin)
            change = None
            if place is not None:
                found = self._of(place.tree)
                change = found.get(place.origin)
                if place.origin not in found and len(found) < MAX_PLACES:
                    found[place.origin] = None
                    unknown.setdefault(_commit(place.tree), []).append(place)
            artifact = _artifact(tree) if origin is not None and origin.file else ""
            named.append(replace(problem, last_change=change, artifact=artifact) if change or artifact else problem)
        for places in unknown.values():
            task = asyncio.ensure_future(self._ask(key, places))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return tuple(named)

    async def close(self) -> None:
        """Ask no more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, key: Key, places: list[_Place]) -> None:
        tree = places[0].tree
        try:
            changes = await self._history.last_changes(
                tree.url,
                tree.credentials,
                tree.sha,
                [place.origin for place in places],
                addresses=tree.addresses,
            )
        except SourceError:
            # Nice to have: the error is told without it.
            return
        self._of(tree).update(changes)
        if changes:
            self._wake(key)

    def _of(self, tree: GitTree) -> _Found:
        found = self._found.setdefault(_commit(tree), {})
        self._found.move_to_end(_commit(tree))
        while len(self._found) > _KEPT_COMMITS:
            self._found.popitem(last=False)
        return found


def _commit(tree: GitTree) -> tuple[str, str]:
    return tree.url, tree.sha


def _found_in(trees: Mapping[str, SourceTree], origin: Origin | None) -> tuple[SourceTree | None, Origin | None]:
    """The tree that a file is in, and its place there."""
    if origin is None:
        return None, None
    start = max((each for each in trees if origin.file.startswith(each)), key=len, default=None)
    return (trees[start], replace(origin, file=origin.file[len(start) :])) if start is not None else (None, origin)


def _artifact(tree: SourceTree | None) -> str:
    """The revision of what is no Git repository; empty for one that is."""
    return "" if tree is None or isinstance(tree, GitTree | GraftedTree) else tree.revision


def _placed(tree: SourceTree | None, origin: Origin | None) -> _Place | None:
    """Where a place of the whole tree lies in the repository that it comes from."""
    if origin is None or not origin.file:
        return None
    if isinstance(tree, GraftedTree):
        for graft in tree.grafts:
            if within(origin.file, (graft.path,)):
                inner = origin.file[len(graft.path) :].lstrip("/")
                return _placed(graft.tree, replace(origin, file=inner))
        return _placed(tree.base, origin)
    if not isinstance(tree, GitTree):
        return None
    folder = tree.selection.folder
    return _Place(tree, replace(origin, file=f"{folder}/{origin.file}" if folder else origin.file))
