"""Which folders of a repository a path needs to be rendered: itself, and all that its kustomizations refer to.

The renderer's adapter calls `closure` with a view of the files materialised so far, fetches what is missing, and
calls it again until nothing is. The folders found are what the render key is made of: a file named by a kustomization
counts with its whole folder, because Git names folders, not files, by one hash.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, splitext
from types import MappingProxyType
from typing import Final

from trimtab.api.kustomize import KustomizeSpec
from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.render.kustomization import (
    Kustomization,
    Reference,
    generated_kustomization,
    read_kustomization,
    without_components,
)
from trimtab.render.layout import ALL, KUSTOMIZATION_NAMES, Selection, layout, outermost, within
from trimtab.render.remote_places import NOWHERE, RemotePlaces
from trimtab.render.remote_walk import RemoteWalk
from trimtab.source.links import resolve_link, resolve_path
from trimtab.source.remote_base import RemoteBase

_NO_LINKS: Final[Mapping[str, str]] = MappingProxyType({})
_FILE_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Closure:
    """`folders`: all that is needed, outermost ones only. `missing`: those of them that are not materialised yet.

    `kustomizations` holds the files read on the way, by folder; `problems` are those of their content, `unresolved` one
    for each path that they name and that is not there. `left_out` are folders that may be missing and are. `remote` are
    the folders needed in the places of remote bases, which `bases` has by the place of their repository.
    """

    folders: tuple[str, ...]
    missing: tuple[str, ...]
    kustomizations: Mapping[str, Kustomization]
    problems: tuple[Problem, ...]
    unresolved: tuple[Problem, ...]
    left_out: frozenset[str] = frozenset()
    remote: tuple[str, ...] = ()
    bases: Mapping[str, RemoteBase] = field(default_factory=dict)


def closure(
    listing: frozenset[str],
    path: str,
    read: Callable[[str], bytes],
    links: Mapping[str, str] = _NO_LINKS,
    *,
    selected: Selection = ALL,
    overlay: KustomizeSpec | None = None,
    places: RemotePlaces = NOWHERE,
) -> Closure:
    """Walk from `path` over a tree: `listing` holds its files, `read` gives a file's bytes.

    `links` are the tree's symbolic links with their targets; they have been found to stay inside of it. `overlay` is
    what an Application adds to the kustomization of the path, `selected` what it takes of a plain folder. `places` says
    which remote bases there may be, and where in the tree they lie.
    """
    folders = _folders(listing)
    pending = list(layout(listing, path, selected).builds)
    seen: dict[str, Kustomization] = {}
    needed, missing, left_out = {path}, set[str](), dict[str, str]()
    unresolved: list[Problem] = []
    remote = RemoteWalk()
    if overlay is not None and path not in pending:
        pending.append(path)
    while pending:
        folder = pending.pop()
        added = overlay if folder == path else None
        here = None if folder in seen else _kustomization(listing, folder, read, added, places)
        if here is None:
            continue
        seen[folder] = here
        needed.add(folder)
        for reference in here.references:
            if not remote.step(reference, here, places):
                continue
            way = resolve_path(reference.path, links)
            needed |= {dirname(link) for link in way.through}
            if way.end in folders:
                pending.append(way.end)
                needed.add(way.end)
                remote.reaches(folder, way.end)
            elif way.end in listing:
                needed.add(dirname(way.end))
            else:
                guess = _guess(way.end, folder=reference.folder)
                needed.add(guess)
                missing.add(guess)
                if reference.optional:
                    left_out[reference.text] = guess
                else:
                    unresolved.append(_not_found(reference, here.file))
    problems = (*(problem for one in seen.values() for problem in one.problems), *remote.problems())
    if left_out:
        seen[path] = without_components(seen[path], left_out.keys())
    own, beside = _parted(_linked(needed, links, listing, folders), places)
    missed, absent = outermost(missing), frozenset(left_out.values())
    return Closure(own, missed, seen, problems, tuple(unresolved), absent, beside, remote.bases)


def _parted(needed: set[str], places: RemotePlaces) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The outermost folders of the source itself, and those of remote bases."""
    beside = {folder for folder in needed if places.root_of(folder)}
    return outermost(needed - beside), outermost(beside)


def _kustomization(
    listing: frozenset[str],
    folder: str,
    read: Callable[[str], bytes],
    added: KustomizeSpec | None,
    places: RemotePlaces,
) -> Kustomization | None:
    """That of a folder, or what is made of a plain one where something is added to it."""
    file = _kustomization_file(listing, folder)
    if file is not None:
        return read_kustomization(read(file), file, added, places)
    return generated_kustomization([], folder, added, places) if added is not None else None


def _linked(needed: set[str], links: Mapping[str, str], listing: frozenset[str], folders: frozenset[str]) -> set[str]:
    """The needed folders with those that their links lead to: what is behind a link is read like the rest."""
    followed: set[str] = set()
    while todo := [link for link in links if link not in followed and any(within(link, one) for one in needed)]:
        followed.update(todo)
        for link in todo:
            way = resolve_link(link, links)
            needed |= {dirname(other) for other in way.through}
            needed.add(way.end if way.end in folders else _guess(way.end, folder=way.end not in listing))
    return needed


def _guess(path: str, *, folder: bool) -> str:
    """The folder to materialise for a path that is not there: of a file its folder, else the path itself."""
    return path if folder and splitext(path)[1] not in _FILE_ENDINGS else dirname(path)


def _not_found(reference: Reference, file: str) -> Problem:
    message = f"{reference.text!r} does not exist in the repository"
    if reference.from_spec:
        remedy = "correct spec.kustomize.components, or set ignoreMissingComponents"
        return Problem(message, origin=Origin(file), remedy=remedy, reason="BuildFailed")
    remedy = "add it, or take it off the kustomization"
    return Problem(message, origin=Origin(file, reference.line), remedy=remedy, reason="BuildFailed")


def _folders(listing: frozenset[str]) -> frozenset[str]:
    found: set[str] = {""}
    for name in listing:
        folder = dirname(name)
        while folder not in found:
            found.add(folder)
            folder = dirname(folder)
    return frozenset(found)


def _kustomization_file(listing: frozenset[str], folder: str) -> str | None:
    names = (f"{folder}/{name}" if folder else name for name in sorted(KUSTOMIZATION_NAMES))
    return next((name for name in names if name in listing), None)
