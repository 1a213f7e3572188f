"""Which files and folders below an Application's path are built, and how, by their names alone.

The listing of a tree flows in, a `Layout` flows out; the renderer's adapter calls it. As with other GitOps tools a
plain folder is read with all folders below it, and a folder that has its own kustomization is built by kustomize.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from posixpath import basename, dirname
from typing import Final

from trimtab.api.directory import DirectorySpec
from trimtab.core.errors import Problem, RenderError
from trimtab.render.globs import BadGlob, glob

KUSTOMIZATION_NAMES: Final = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_YAML: Final = (".yaml", ".yml")
_JSON: Final = ".json"
_JSONNET: Final = ".jsonnet"


@dataclass(frozen=True, slots=True)
class Layout:
    """`builds` are folders for kustomize, `files` plain manifests, `programs` files of Jsonnet where they are asked
    for; paths are relative to the repository's root.
    """

    builds: tuple[str, ...]
    files: tuple[str, ...]
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a plain folder count: `spec.directory`, its globs as tests of relative paths."""

    recurse: bool = True
    include: Callable[[str], bool] | None = None
    exclude: Callable[[str], bool] | None = None
    jsonnet: bool = False

    def takes(self, inner: str) -> bool:
        """Whether a file counts; `inner` is its path within the folder."""
        if not self.recurse and "/" in inner:
            return False
        if self.exclude is not None and self.exclude(inner):
            return False
        return self.include is None or self.include(inner)


ALL: Final = Selection()


def selection(directory: DirectorySpec | None) -> Selection:
    """What `spec.directory` selects. Raises RenderError where a glob is of no use."""
    if directory is None:
        return ALL
    try:
        include, exclude = (glob(text) if text else None for text in (directory.include, directory.exclude))
    except BadGlob as error:
        message = f"spec.directory: {error}"
        remedy = "correct include and exclude; write \\ before characters that stand for themselves"
        raise RenderError(Problem(message, remedy=remedy, reason="InvalidSpec")) from None
    return Selection(directory.recurse, include, exclude, directory.jsonnet is not None)


def is_kustomization(path: str) -> bool:
    """Whether a file makes its folder a kustomization."""
    return basename(path) in KUSTOMIZATION_NAMES


def is_optional(path: str) -> bool:
    """Whether a file may hold something else than manifests: JSON often is data of an application."""
    return path.endswith(_JSON)


def layout(listing: Iterable[str], path: str, selected: Selection = ALL) -> Layout:
    """Sort the files below `path` (empty: the root). Files and folders whose name begins with a dot are left out.

    A kustomization of the path itself is built whatever is selected; one below it only where its file is.
    """
    below = sorted(name for name in listing if within(name, path) and not _hidden(name, path))
    kustomized = {dirname(name) for name in below if is_kustomization(name)}
    if path not in kustomized:
        below = [name for name in below if selected.takes(inner_path(name, path))]
        kustomized = {dirname(name) for name in below if is_kustomization(name)}
    builds = {folder for folder in kustomized if folder == path or not _built(dirname(folder), path, kustomized)}
    plain = [name for name in below if not _built(dirname(name), path, builds)]
    files = tuple(name for name in plain if name.endswith((*_YAML, _JSON)))
    programs = tuple(name for name in plain if name.endswith(_JSONNET) and selected.jsonnet)
    return Layout(tuple(sorted(builds)), files, programs)


def inner_path(name: str, folder: str) -> str:
    """A path relative to a folder that it lies in."""
    return name[len(folder) :].lstrip("/") if folder else name


def within(name: str, folder: str) -> bool:
    """Whether a path lies in a folder, or is it; the empty folder holds everything."""
    return not folder or name == folder or name.startswith(folder + "/")


def outermost(folders: Iterable[str]) -> tuple[str, ...]:
    """The folders that lie in no other of them, sorted."""
    kept: list[str] = []
    for folder in sorted(set(folders), key=lambda name: (name.count("/") if name else -1, name)):
        if not any(within(folder, other) for other in kept):
            kept.append(folder)
    return tuple(sorted(kept))


def _hidden(name: str, path: str) -> bool:
    inner = name[len(path) :] if path else name
    return any(part.startswith(".") for part in inner.split("/") if part)


def _built(folder: str, path: str, builds: set[str]) -> bool:
    """Whether the folder or one above it, up to `path`, is built by kustomize."""
    while folder not in builds:
        if folder == path or not folder:
            return False
        folder = dirname(folder)
    return within(folder, path)
