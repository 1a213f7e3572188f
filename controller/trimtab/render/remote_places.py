"""Where remote bases lie in the tree that kustomize sees, which of them a source may take, and what they are called.

The closure walk finds them by it, the renderer's adapter puts them there. What is told of a file in one speaks of its
repository and revision, never of its place.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from trimtab.core.errors import Problem, SourceError
from trimtab.core.manifest import Manifest, Origin
from trimtab.render.layout import within
from trimtab.source.base_prefixes import allowed
from trimtab.source.remote_base import RemoteBase

ORIGIN_ANNOTATION: Final = "config.kubernetes.io/origin"
MAX_BASES: Final = 20
"""Repositories and refs that one Application may be made of."""
MAX_DEPTH: Final = 4
"""Remote bases of remote bases."""


@dataclass(frozen=True, slots=True)
class RemotePlaces:
    """`root` is the folder of the tree in which they lie, `prefixes` the URLs below which the source may take them.

    `field` says where a user would allow more.
    """

    root: str
    prefixes: tuple[str, ...] = ()
    field: str = "spec.remoteBases of the source"

    def check(self, base: RemoteBase) -> None:
        """Raises SourceError where the source may not take a base."""
        if not allowed(base.url, self.prefixes):
            remedy = f"add {base.url} to {self.field}, copy it into the repository, or add it as a submodule"
            raise SourceError(Problem(f"remote base {base} is not allowed", reason="RemoteBaseRefused", remedy=remedy))

    def place(self, base: RemoteBase) -> str:
        """The folder of a base in the tree."""
        place = f"{self.root}/{sha256(base.name.encode()).hexdigest()[:16]}"
        return f"{place}/{base.path}" if base.path else place

    def root_of(self, path: str) -> str:
        """The place of the repository that a path of the tree belongs to; empty for the source itself."""
        return "/".join(path.split("/")[:2]) if self.root and within(path, self.root) else ""


NOWHERE: Final = RemotePlaces("")
"""No remote bases."""


@dataclass(frozen=True, slots=True)
class RemoteNames:
    """How the places of bases are told: `names` has for each the beginning of the names of its files.

    `bases` are those of places whose origins a kustomization shows in annotations.
    """

    names: Mapping[str, str]
    bases: Mapping[str, RemoteBase] = field(default_factory=dict)

    def origin(self, origin: Origin) -> Origin:
        """A place in the tree as users know it."""
        for place, name in self.names.items():
            if within(origin.file, place):
                return replace(origin, file=name + origin.file[len(place) :].lstrip("/"))
        return origin

    def problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The same problems, with the origins and texts that users know."""
        if not self.names:
            return tuple(problems)
        return tuple(
            replace(each, message=self._text(each.message), remedy=self._text(each.remedy), origin=origin)
            for each in problems
            for origin in [self.origin(each.origin) if each.origin else None]
        )

    def manifests(self, manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
        """The same manifests, with the origins that users know."""
        if not self.names:
            return tuple(manifests)
        return tuple(replace(self._annotated(each), origin=self.origin(each.origin)) for each in manifests)

    def _annotated(self, manifest: Manifest) -> Manifest:
        """With the origin that kustomize writes of a repository that it fetched itself, where there is one."""
        note = manifest.annotations.get(ORIGIN_ANNOTATION, "")
        for place, base in self.bases.items():
            if place in note:
                told = _as_kustomize(note, place, base)
                metadata = manifest.body["metadata"]
                annotations = metadata["annotations"] | {ORIGIN_ANNOTATION: told}
                return replace(manifest, body=manifest.body | {"metadata": metadata | {"annotations": annotations}})
        return manifest

    def _text(self, text: str) -> str:
        for place, name in self.names.items():
            text = re.sub(rf"(?:\.\./)*{re.escape(place)}/?", name.replace("\\", "\\\\"), text)
        return text


def _as_kustomize(note: str, place: str, base: RemoteBase) -> str:
    """An origin's lines as kustomize writes and orders them where it has fetched a base itself."""
    way = rf"(?m)^(path|configuredIn): (?:\.\./)*{re.escape(place)}/(.*)$"
    where = f"repo: {base.url}" + (f"\nref: {base.ref}" if base.ref else "")

    def told(found: re.Match[str]) -> str:
        line = f"{found[1]}: {found[2]}"
        return f"{line}\n{where}" if found[1] == "path" else f"{where}\n{line}"

    return re.sub(way, told, note)


def file_names(base: RemoteBase, revision: str) -> str:
    """The beginning of the names of a base's files: its URL and the revision it stands at."""
    return f"{base.url}@{revision}//"
