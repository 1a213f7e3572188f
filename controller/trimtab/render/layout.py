"""Which files and folders below an Application's path are built, and how, by their names alone.

The listing of a tree flows in, a `Layout` flows out; the renderer's adapter calls it. As with other GitOps tools a
plain folder is read with all folders below it, and a folder that has its own kustomization is built by kustomize.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import basename, dirname
from typing import Final

KUSTOMIZATION_NAMES: Final = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_YAML: Final = (".yaml", ".yml")
_JSON: Final = ".json"


@dataclass(frozen=True, slots=True)
class Layout:
    """`builds` are folders for kustomize, `files` plain manifests; paths are relative to the repository's root."""

    builds: tuple[str, ...]
    files: tuple[str, ...]


def is_kustomization(path: str) -> bool:
    """Whether a file makes its folder a kustomization."""
    return basename(path) in KUSTOMIZATION_NAMES


def is_optional(path: str) -> bool:
    """Whether a file may hold something else than manifests: JSON often is data of an application."""
    return path.endswith(_JSON)


def layout(listing: Iterable[str], path: str) -> Layout:
    """Sort the files below `path` (empty: the root). Files and folders whose name begins with a dot are left out."""
    below = sorted(name for name in listing if within(name, path) and not _hidden(name, path))
    kustomized = {dirname(name) for name in below if is_kustomization(name)}
    builds = {folder for folder in kustomized if folder == path or not _built(dirname(folder), path, kustomized)}
    files = [name for name in below if name.endswith((*_YAML, _JSON)) and not _built(dirname(name), path, builds)]
    return Layout(tuple(sorted(builds)), tuple(files))


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
