"""Which folders of a repository a path needs to be rendered: itself, and all that its kustomizations refer to.

The renderer's adapter calls `closure` with a view of the files materialised so far, fetches what is missing, and
calls it again until nothing is. The folders found are what the render key is made of: a file named by a kustomization
counts with its whole folder, because Git names folders, not files, by one hash.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from trimtab.source.links import resolve_link, resolve_path

_NO_LINKS: Final[Mapping[str, str]] = MappingProxyType({})
_FILE_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Closure:
    """`folders`: all that is needed, outermost ones only. `missing`: those of them that are not materialised yet.

    `kustomizations` holds the files read on the way, by folder; `problems` are those of their content, `unresolved` one
    for each path that they name and that is not there. `left_out` are folders that may be missing and are.
    """

    folders: tuple[str, ...]
    missing: tuple[str, ...]
    kustomizations: Mapping[str, Kustomization]
    problems: tuple[Problem, ...]
    unresolved: tuple[Problem, ...]
    left_out: frozenset[str] = frozenset()


def closure(
    listing: frozenset[str],
    path: str,
    read: Callable[[str], bytes],
    links: Mapping[str, str] = _NO_LINKS,
    *,
    selected: Selection = ALL,
    overlay: KustomizeSpec | None = None,
) -> Closure:
    """Walk from `path` over a tree: `listing` holds its files, `read` gives a file's bytes.

    `links` are the tree's symbolic links with their targets; they have been found to stay inside of it. `overlay` is
    what an Application adds to the kustomization of the path, `selected` what it takes of a plain folder.
    """
    folders = _folders(listing)
    pending = list(layout(listing, path, selected).builds)
    seen: dict[str, Kustomization] = {}
    needed, missing, left_out = {path}, set[str](), dict[str, str]()
    unresolved: list[Problem] = []
    if overlay is not None and path not in pending:
        pending.append(path)
    while pending:
        folder = pending.pop()
        file = _kustomization_file(listing, folder)
        added = overlay if folder == path else None
        if folder in seen or (file is None and added is None):
            continue
        if file is not None:
            seen[folder] = read_kustomization(read(file), file, added)
        elif added is not None:
            file = f"{folder}/kustomization.yaml".lstrip("/")
            seen[folder] = generated_kustomization([], folder, added)
        assert file is not None
        needed.add(folder)
        for reference in seen[folder].references:
            way = resolve_path(reference.path, links)
            needed |= {dirname(link) for link in way.through}
            if way.end in folders:
                pending.append(way.end)
                needed.add(way.end)
            elif way.end in listing:
                needed.add(dirname(way.end))
            else:
                guess = _guess(way.end, folder=reference.folder)
                needed.add(guess)
                missing.add(guess)
                if reference.optional:
                    left_out[reference.text] = guess
                else:
                    unresolved.append(_not_found(reference, file))
    problems = tuple(problem for one in seen.values() for problem in one.problems)
    if left_out:
        seen[path] = without_components(seen[path], left_out.keys())
    wanted = _linked(needed, links, listing, folders)
    return Closure(wanted, outermost(missing), seen, problems, tuple(unresolved), frozenset(left_out.values()))


def _linked(
    needed: set[str], links: Mapping[str, str], listing: frozenset[str], folders: frozenset[str]
) -> tuple[str, ...]:
    """The needed folders with those that their links lead to: what is behind a link is read like the rest."""
    followed: set[str] = set()
    while todo := [link for link in links if link not in followed and any(within(link, one) for one in needed)]:
        followed.update(todo)
        for link in todo:
            way = resolve_link(link, links)
            needed |= {dirname(other) for other in way.through}
            needed.add(way.end if way.end in folders else _guess(way.end, folder=way.end not in listing))
    return outermost(needed)


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
